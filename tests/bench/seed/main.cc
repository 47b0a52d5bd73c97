// seed: makes a bank's database with accounts, cards, terminals and a history, through the ledger
// itself, much faster than by asking a bankd for each.
#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <string_view>

#include <sodium.h>

#include "bench/load/wire.h"
#include "ledger/ledger.h"
#include "ledger/sqlite_journal.h"

namespace {

using ledger::Cents;

constexpr const char* help = R"(Makes a bank's database for the load generator.

  seed FILE [--accounts N] [--cards N] [--terminals N] [--transfers N] [--unprojected N] [--random-ids N]
                      10000          1000             64               0                0              0

Account a-00000000 and so on with 10,000,000,000.00 EUR each; the first of them have the cards
4000000000000000 and so on, all with the PIN 4826, hashed as cheaply as possible; terminals t-0000
and so on. Transfers are between random accounts, 1,000 a batch, as an ATM's customers make them;
--unprojected are transfers too, which the journal has and its tables do not. With --random-ids 1 an
id is any 16 bytes, which tell no time.
)";

struct Sizes {
  std::size_t accounts = 10'000;
  std::size_t cards = 1'000;
  std::size_t terminals = 64;
  std::size_t transfers = 0;
  std::size_t unprojected = 0;
  std::size_t random_ids = 0;
};

// Writes what it is given in batches, and keeps the tables up to date.
class Scribe {
 public:
  Scribe(const std::string& path, std::size_t changes, bool random_ids)
      : journal_(path), ledger_(journal_), now_us_(long_ago(changes)), random_ids_(random_ids) {
    journal_.load(ledger_);
    ledger_.restored();
  }

  void write(ledger::Change change, std::string principal) {
    if (batch_.records.empty()) tick();
    load::ChangeId id = ids_.next(static_cast<std::uint64_t>(now_us_) / 1'000);
    if (random_ids_) {
      for (auto& byte : id) byte = static_cast<load::ChangeId::value_type>(ids_.random());
    }
    ledger::Operation operation{.id = *ledger::OperationId::from_bytes({id.data(), id.size()}),
                                .principal = std::move(principal),
                                .change = std::move(change)};
    const ledger::Answer answer = ledger_.execute(std::move(operation), moment_, batch_);
    if (!answer.outcome) {
      std::fprintf(stderr, "seed: the ledger refused a change\n");
      std::exit(1);
    }
    if (batch_.records.size() >= batch_size) flush();
  }

  void flush() {
    if (batch_.empty()) return;
    journal_.append(batch_);
    batch_.clear();
    if (!projects_) return;
    while (journal_.projected_through() < ledger_.books().last_seq()) journal_.project(batch_size);
    ledger_.forget(journal_.projected_through());
    journal_.tidy(false);
  }

  // From now on the journal only: a start has it to replay.
  void stop_projecting() {
    flush();
    journal_.tidy(true);
    projects_ = false;
  }

 private:
  static constexpr std::size_t batch_size = 1'000;

  // So that `changes` later it is about now.
  static std::int64_t long_ago(std::size_t changes) {
    const auto now =
        std::chrono::system_clock::now() - std::chrono::seconds(changes / batch_size + 60);
    return std::chrono::duration_cast<std::chrono::microseconds>(now.time_since_epoch()).count();
  }

  // Each batch is a second later than the one before, as in a bank that takes 1,000 changes a second:
  // what a start finds of the last few seconds is what it would find there.
  void tick() {
    now_us_ += 1'000'000;
    constexpr std::int64_t day_us = 86'400'000'000;
    moment_ = {.at = ledger::instant_of(now_us_),
               .day = {static_cast<std::int32_t>(now_us_ / day_us)},
               .clock = async::Instant::min()};
  }

  ledger::SqliteJournal journal_;
  ledger::Ledger ledger_;
  ledger::Batch batch_;
  ledger::Moment moment_{};
  std::int64_t now_us_;
  bool projects_ = true;
  bool random_ids_;
  load::ChangeIds ids_{1};
};

std::string cheap_hash() {
  std::array<char, crypto_pwhash_STRBYTES> text{};
  const int failed = crypto_pwhash_str_alg(
      text.data(), load::seeded_pin.data(), load::seeded_pin.size(), crypto_pwhash_OPSLIMIT_MIN,
      crypto_pwhash_MEMLIMIT_MIN, crypto_pwhash_ALG_ARGON2ID13);
  if (sodium_init() < 0 || failed != 0) std::abort();
  return text.data();
}

void seed(const std::string& path, const Sizes& sizes) {
  const auto eur = ledger::Currency::of("EUR");
  const std::string the_operator = "operator";
  Scribe scribe(
      path,
      2 * sizes.accounts + sizes.terminals + sizes.cards + sizes.transfers + sizes.unprojected,
      sizes.random_ids != 0);
  for (std::size_t at = 0; at < sizes.accounts; ++at) {
    const std::string name = load::account_name(at);
    scribe.write(ledger::OpenAccount{.account = name, .customer_name = "Jane Doe", .currency = eur},
                 the_operator);
    scribe.write(ledger::Post{.kind = ledger::TransferKind::fund,
                              .target = name,
                              .amount = Cents{1'000'000'000'000},
                              .currency = eur},
                 the_operator);
  }
  for (std::size_t at = 0; at < sizes.terminals; ++at) {
    scribe.write(ledger::AddTerminal{.terminal = load::terminal_name(at), .currency = eur},
                 the_operator);
  }
  const std::string hash = cheap_hash();
  for (std::size_t at = 0; at < sizes.cards; ++at) {
    scribe.write(
        ledger::IssueCard{
            .card = load::card_number(at), .account = load::account_name(at), .pin_hash = hash},
        the_operator);
  }
  load::ChangeIds random(2);
  for (std::size_t at = 0; at < sizes.transfers + sizes.unprojected; ++at) {
    if (at == sizes.transfers) scribe.stop_projecting();
    const std::size_t card = random.random() % sizes.cards;
    const std::size_t other = (card + 1 + random.random() % (sizes.accounts - 1)) % sizes.accounts;
    const std::string terminal = load::terminal_name(card % sizes.terminals);
    scribe.write(ledger::Post{.kind = ledger::TransferKind::transfer,
                              .target = load::account_name(other),
                              .amount = Cents{1},
                              .currency = eur,
                              .card = load::card_number(card),
                              .terminal = terminal},
                 terminal);
  }
  if (sizes.unprojected == 0) scribe.stop_projecting();
  scribe.flush();
}

bool read_size(std::string_view text, std::size_t& size) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), size);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

int main(int argc, char** argv) {
  Sizes sizes;
  bool understood = argc >= 2 && argc % 2 == 0;
  for (int at = 2; understood && at + 1 < argc; at += 2) {
    const std::string_view name = argv[at];
    std::size_t* const size = name == "--accounts"      ? &sizes.accounts
                              : name == "--cards"       ? &sizes.cards
                              : name == "--terminals"   ? &sizes.terminals
                              : name == "--transfers"   ? &sizes.transfers
                              : name == "--unprojected" ? &sizes.unprojected
                              : name == "--random-ids"  ? &sizes.random_ids
                                                        : nullptr;
    understood = size != nullptr && read_size(argv[at + 1], *size);
  }
  if (!understood || sizes.cards > sizes.accounts || sizes.terminals == 0) {
    std::fputs(help, stderr);
    return 64;
  }
  try {
    seed(argv[1], sizes);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "seed: %s\n", error.what());
    return 1;
  }
  return 0;
}
