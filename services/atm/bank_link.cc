#include "atm/bank_link.h"

#include <algorithm>
#include <array>
#include <exception>
#include <set>
#include <utility>

#include "atm/bank_words.h"
#include "atm/messages.h"
#include "ledger/money.h"
#include "ops/failure.h"

namespace atm {

namespace {

rpc::ClientOptions observed(rpc::ClientOptions options, rpc::ConnectionObserver* observer) {
  options.observer = observer;
  // A customer should hear at once that there is no bank.
  options.fail_fast = true;
  return options;
}

BankMemory memory_of(JournalFile& file, Currency currency) {
  const std::vector<BankMemory> found = file.read<BankMemory>();
  BankMemory memory{.currency = currency.text()};
  if (found.empty()) return memory;
  if (found.front().currency != memory.currency) {
    throw ops::Failure(ops::ExitCode::config, "the journal is one of " + found.front().currency +
                                                  ", not of " + memory.currency);
  }
  return found.front();
}

std::vector<BankHead> heads_of(JournalFile& file) {
  std::vector<BankHead> heads = file.read<BankHead>("seq > 0");
  std::ranges::sort(heads, {}, &BankHead::seq);
  return heads;
}

// Where another head is to be kept and all slots are full: the one without which the gap is smallest,
// compared with how long ago it is. Never the oldest.
std::size_t least_missed(const std::vector<BankHead>& heads, std::uint64_t newest) {
  std::size_t least = 1;
  double smallest = 1;
  for (std::size_t i = 1; i < heads.size(); ++i) {
    const std::uint64_t before = heads[i - 1].seq;
    const std::uint64_t after = i + 1 < heads.size() ? heads[i + 1].seq : newest;
    const double gap = static_cast<double>(after - before) / static_cast<double>(newest - before);
    if (gap >= smallest) continue;
    smallest = gap;
    least = i;
  }
  return least;
}

}  // namespace

BankLink::BankLink(async::Loop& loop, const Settings& settings, rpc::ClientOptions options,
                   async::Random& random, Journal& journal, std::vector<std::string> terminals,
                   ops::Log log)
    : loop_(loop),
      settings_(settings),
      random_(random),
      journal_(journal),
      log_(std::move(log)),
      memory_(memory_of(journal.file(), settings.currency)),
      heads_(heads_of(journal.file())),
      changed_(loop),
      client_(loop, observed(std::move(options), this), random),
      tasks_(loop) {
  for (std::string& terminal : terminals) standings_.emplace(std::move(terminal), Standing());
  if (!memory_.telling_again) return;
  for (const std::string& each : terminals_to_tell_of()) to_tell_[each] = memory_.common_seq;
}

BankLink::~BankLink() = default;

void BankLink::start() { tasks_.spawn(keep_in_touch()); }

Task<> BankLink::keep_in_touch() {
  while (true) {
    if (client_.is_connected()) {
      for (const auto& [terminal, standing] : standings_) {
        rpc::Context context(loop_.in(settings_.bank_patience));
        co_await refresh(terminal, std::move(context));
      }
    } else {
      client_.connect();
    }
    co_await loop_.sleep_for(settings_.heartbeat);
  }
}

Task<bool> BankLink::refresh(std::string terminal, rpc::Context context) {
  try {
    co_await sign_on(&client_, std::move(terminal), std::move(context));
  } catch (const rpc::Error&) {
    co_return false;
  }
  co_return true;
}

// Side by side: on a slow line many terminals take no longer than one.
Task<> BankLink::on_connected(rpc::Channel& fresh) {
  std::exception_ptr failure;
  const auto failed = [&failure](std::exception_ptr error) { failure = std::move(error); };
  async::TaskScope sign_ons(loop_, failed);
  for (const auto& [terminal, standing] : standings_) {
    rpc::Context context(loop_.in(settings_.bank_patience));
    sign_ons.spawn(sign_on(&fresh, terminal, std::move(context)));
  }
  co_await sign_ons.join();
  if (failure) std::rethrow_exception(failure);
  if (answers_ != true) {
    log_.info(answers_ ? "the bank answers again" : "the bank answers");
  }
  answers_ = true;
}

void BankLink::on_disconnected(const rpc::Status& why) {
  if (answers_ != false) {
    log_.warn(answers_ ? "the bank is lost" : "the bank does not answer", {{"reason", why.text()}});
  }
  answers_ = false;
  now_.reset();
  for (auto& [terminal, standing] : standings_) {
    standing.signed_on = false;
    standing.reason = "the bank does not answer";
  }
  standing_changed();
}

Task<::bank::v1::SignOnResponse> BankLink::ask(rpc::Channel* channel, std::string terminal,
                                               BankHead seen, rpc::Context context) {
  ::bank::v1::SignOnRequest request;
  request.set_terminal_id(terminal);
  request.set_seen_ledger_seq(seen.seq);
  request.set_seen_chain_head(seen.head.bytes);
  return channel->call(bank_methods::sign_on, std::move(request), std::move(context));
}

Task<> BankLink::sign_on(rpc::Channel* channel, std::string terminal, rpc::Context context) {
  // Answers overtake each other: only what was seen before this was sent can tell that the history
  // went back.
  const std::uint64_t highest_before = memory_.highest_seq;
  const std::uint32_t history_before = memory_.history;
  const std::uint64_t noes_before = unnumbered_noes_;
  BankHead seen{.seq = memory_.seen_seq, .head = memory_.seen_head};
  const ::bank::v1::SignOnResponse response =
      co_await ask(channel, terminal, std::move(seen), std::move(context));
  if (!response.has_signed_on()) {
    refused(terminal, response.refusal());
    co_return standing_changed();
  }
  if (memory_.atm_id.bytes.empty()) co_await make_atm_id();
  const ::bank::v1::SignedOn& answer = response.signed_on();
  const bool same_bank = memory_.instance_id.bytes == answer.instance_id();
  if (same_bank && (answer.ledger_seq() < highest_before || !answer.history_agrees())) {
    const std::uint64_t common = co_await find_common_seq(channel, terminal);
    // Another terminal's sign-on may have found it out meanwhile, or have begun to tell all again
    // without.
    const bool is_begun = memory_.history != history_before;
    if (!is_begun) begin_history(answer, common);
    if (!std::exchange(memory_.history_broken, true) || !is_begun) {
      note_memory("HISTORY_BROKEN", "the bank's history went back to " +
                                        std::to_string(answer.ledger_seq()) +
                                        " and is the same up to " + std::to_string(common));
    }
  }
  signed_on(terminal, answer, unnumbered_noes_ != noes_before);
  standing_changed();
}

Task<std::uint64_t> BankLink::find_common_seq(rpc::Channel* channel, std::string terminal) {
  const std::vector<BankHead> heads = heads_;
  // It has all before `known`, and none from `lacking` on.
  std::size_t known = 0;
  std::size_t lacking = heads.size();
  while (known < lacking) {
    const std::size_t middle = known + (lacking - known) / 2;
    BankHead head = heads[middle];
    rpc::Context context(loop_.in(settings_.bank_patience));
    const ::bank::v1::SignOnResponse response =
        co_await ask(channel, terminal, std::move(head), std::move(context));
    if (response.signed_on().history_agrees()) {
      known = middle + 1;
    } else {
      lacking = middle;
    }
  }
  co_return known == 0 ? 0 : heads[known - 1].seq;
}

// On the disk before a customer's client hears of it.
Task<> BankLink::make_atm_id() {
  std::array<std::byte, 16> id{};
  random_.fill(id);
  memory_.atm_id.bytes.assign(reinterpret_cast<const char*>(id.data()), id.size());
  journal_.remember(memory_);
  co_await journal_.flush();
}

void BankLink::signed_on(const std::string& terminal, const ::bank::v1::SignedOn& answer,
                         bool was_overtaken) {
  Standing& standing = standings_.at(terminal);
  standing.other_currency.clear();
  if (answer.cash().currency() != settings_.currency.text()) {
    standing.signed_on = false;
    standing.other_currency = "the bank keeps terminal " + terminal + " in " +
                              answer.cash().currency() + ", and this ATM handles " +
                              settings_.currency.text() +
                              "; add one of another name with: bankctl terminal add NAME "
                              "--currency " +
                              settings_.currency.text();
    standing.reason = standing.other_currency;
    return;
  }
  standing.signed_on = true;
  standing.in_service = answer.in_service();
  standing.reason = answer.in_service() ? "" : "the bank's operator took it out of service";
  standing.cash = Cents{answer.cash().minor_units()};
  const bool is_new_connection = !now_;
  now_ = answer;

  if (is_another_bank()) {
    if (std::exchange(memory_.history_broken, true)) return;
    return note_memory("HISTORY_BROKEN", "another bank answers");
  }
  // Behind an old backup a busy bank may soon have made as many changes again: its number then tells
  // nothing, and its head only what was before the last sign-on. What came after that is told again.
  // This is decided before the new number and head take the place of those; the other terminals'
  // sign-ons may never come.
  const bool said_more = memory_.highest_seq > memory_.seen_seq || memory_.unnumbered_no;
  if (is_new_connection && said_more) {
    const std::uint64_t seen_before = memory_.seen_seq;
    begin_history(answer, seen_before);
    return note_memory("TELLING_AGAIN",
                       "what was answered after the last sign-on, " + std::to_string(seen_before));
  }
  // What that no was said for may have happened after this head, which so cannot stand for it. The
  // next sign-on's can.
  if (was_overtaken) return saw(answer.ledger_seq());
  const bool first_ever = memory_.instance_id.bytes.empty();
  if (std::exchange(memory_.unnumbered_no, false)) {
    journal_.remember(memory_);
    // Nothing else may happen before a restart, which would then tell the bank again for nothing.
    journal_.note(to_row(memory_));
  }
  if (!first_ever && answer.ledger_seq() <= memory_.seen_seq) return;
  memory_.instance_id.bytes = answer.instance_id();
  memory_.seen_seq = answer.ledger_seq();
  memory_.seen_head.bytes = answer.chain_head();
  remember_head(answer.ledger_seq(), answer.chain_head());
  journal_.remember(memory_);
  saw(answer.ledger_seq());
  if (first_ever) note_memory("FIRST_SIGN_ON", "");
}

// From now on the bank's numbers are those of another history, which parted from the one before it
// after `common_seq`. What the one before was still to be told again, this one is too.
void BankLink::begin_history(const ::bank::v1::SignedOn& answer, std::uint64_t common_seq) {
  // Of a terminal of which all was told only what came since lies after.
  for (const std::string& each : terminals_to_tell_of()) {
    const auto [place, is_new] = to_tell_.try_emplace(each, common_seq);
    if (!is_new) place->second = std::min(place->second, common_seq);
  }
  if (memory_.telling_again) common_seq = std::min(common_seq, memory_.common_seq);
  memory_.instance_id.bytes = answer.instance_id();
  memory_.seen_seq = answer.ledger_seq();
  memory_.seen_head.bytes = answer.chain_head();
  memory_.highest_seq = answer.ledger_seq();
  memory_.unnumbered_no = false;
  ++memory_.history;
  memory_.common_seq = common_seq;
  memory_.telling_again = true;
  memory_.told_again = 0;
  forget_heads_after(common_seq);
  remember_head(answer.ledger_seq(), answer.chain_head());
}

void BankLink::remember_head(std::uint64_t seq, const std::string& head) {
  if (seq == 0) return;
  if (heads_.size() == bank_heads_kept_max) {
    heads_.erase(heads_.begin() + static_cast<std::ptrdiff_t>(least_missed(heads_, seq)));
  }
  std::uint32_t slot = 1;
  while (std::ranges::find(heads_, slot, &BankHead::slot) != heads_.end()) ++slot;
  heads_.push_back({.slot = slot, .seq = seq, .head = {head}});
  journal_.remember(heads_.back());
}

void BankLink::forget_heads_after(std::uint64_t seq) {
  while (!heads_.empty() && heads_.back().seq > seq) {
    journal_.remember(BankHead{.slot = heads_.back().slot});
    heads_.pop_back();
  }
}

void BankLink::item_was_told_again() {
  ++memory_.told_again;
  journal_.remember(memory_);
}

bool BankLink::was_told_again(const std::string& terminal) {
  to_tell_.erase(terminal);
  const bool is_last = to_tell_.empty();
  if (is_last) {
    memory_.telling_again = false;
    note_memory("TOLD_AGAIN", std::to_string(memory_.told_again) + " items");
  }
  standing_changed();
  return is_last;
}

std::vector<std::string> BankLink::terminals_to_tell_of() const {
  std::set<std::string> terminals;
  for (const auto& [terminal, standing] : standings_) terminals.insert(terminal);
  for (const StockRow& row : journal_.file().read<StockRow>()) terminals.insert(row.terminal);
  return {terminals.begin(), terminals.end()};
}

bool BankLink::is_left_out(const std::string& terminal) const {
  const auto found = standings_.find(terminal);
  const bool is_ours = client_.is_connected() && is_our_bank();
  return is_ours && found != standings_.end() && !found->second.signed_on;
}

Task<std::vector<std::string>> BankLink::until_told_again() {
  std::vector<std::string> left_out;
  while (true) {
    left_out.clear();
    for (const auto& [terminal, seq] : to_tell_) {
      if (is_left_out(terminal)) left_out.push_back(terminal);
    }
    if (left_out.size() == to_tell_.size()) co_return left_out;
    co_await changed_;
  }
}

void BankLink::refused(const std::string& terminal, const ::bank::v1::Refusal& refusal) {
  Standing& standing = standings_.at(terminal);
  standing.signed_on = false;
  standing.other_currency.clear();
  standing.reason = clause_of(refusal);
  if (refusal.code() == ::bank::v1::REFUSAL_CODE_TERMINAL_NOT_FOUND) {
    standing.reason = "the bank does not know terminal " + terminal +
                      "; add it with: bankctl terminal add " + terminal + " --currency " +
                      settings_.currency.text();
  }
}

bool BankLink::is_usable(const std::string& terminal) const {
  if (!client_.is_connected() || !is_our_bank()) return false;
  // A terminal that this ATM had once may still have something to tell.
  const auto found = standings_.find(terminal);
  return found == standings_.end() || found->second.signed_on;
}

bool BankLink::is_another_bank() const {
  return now_ && !memory_.instance_id.bytes.empty() &&
         memory_.instance_id.bytes != now_->instance_id();
}

Task<> BankLink::until_changed() { co_await changed_; }

Task<> BankLink::usable(std::string terminal) {
  while (!is_usable(terminal)) co_await changed_;
}

void BankLink::standing_changed() {
  changed_.set();
  changed_.clear();
}

std::optional<rpc::Status> BankLink::no_answer(std::string_view method,
                                               const google::protobuf::Message& answer) const {
  const std::string why = why_impossible(answer, settings_.currency);
  if (why.empty()) return std::nullopt;
  log_.error("the bank's answer cannot be", {{"method", method}, {"why", why}});
  return rpc::Status{.code = rpc::StatusCode::internal,
                     .message = "the bank's answer cannot be: " + why};
}

void BankLink::saw(std::uint64_t seq) {
  if (seq <= memory_.highest_seq) return;
  memory_.highest_seq = seq;
  journal_.remember(memory_);
}

std::uint64_t BankLink::number_of_no(std::uint64_t ledger_seq) {
  if (ledger_seq != 0) return ledger_seq;
  memory_.unnumbered_no = true;
  ++unnumbered_noes_;
  journal_.remember(memory_);
  return memory_.highest_seq + 1;
}

void BankLink::note_memory(std::string state, std::string detail) {
  Entry entry;
  entry.event = {.at_us = loop_.wall_now().time_since_epoch().count(),
                 .kind = "bank",
                 .state = std::move(state),
                 .detail = std::move(detail)};
  journal_.remember(memory_);
  journal_.note(std::move(entry));
}

Task<bool> BankLink::accept_history(std::string reason) {
  if (!has_compared()) co_return false;
  if (is_another_bank()) begin_history(*now_, 0);
  memory_.history_broken = false;
  note_memory("HISTORY_ACCEPTED", std::move(reason));
  standing_changed();
  co_await journal_.flush();
  co_return true;
}

}  // namespace atm
