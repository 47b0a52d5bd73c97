#include "teller/session.h"

#include <algorithm>
#include <array>
#include <utility>

#include "cli/amount.h"
#include "cli/message_text.h"
#include "ops/failure.h"
#include "ops/foreign_text.h"
#include "teller/told.h"

namespace teller {
namespace {

constexpr const char* menu =
    "\n"
    "  1  Withdraw cash      4  Transfer\n"
    "  2  Deposit cash       5  Statement\n"
    "  3  Balance            6  Change the PIN\n"
    "  0  Take your card\n";

constexpr const char* amount_prompt = "Amount (nothing to go back): ";

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> words(1);
  for (const char letter : text) {
    const bool is_gap = letter == ' ' || letter == '\t';
    if (!is_gap) words.back() += letter;
    if (is_gap && !words.back().empty()) words.emplace_back();
  }
  if (words.back().empty()) words.pop_back();
  return words;
}

constexpr const char* help =
    "A number of the menu, or a word: withdraw 60, deposit 2x50 1x20, balance, transfer 9.50 "
    "john,\n"
    "statement, pin, end.\n";

// "1" and "Withdraw" and "withdraw 60" are the same choice, the last with its amount.
struct Choice {
  std::string what;
  std::string rest;
};

Choice choice_of(const std::string& line) {
  constexpr std::array<std::string_view, 7> names = {"end",      "withdraw",  "deposit", "balance",
                                                     "transfer", "statement", "pin"};
  const std::size_t gap = std::min(line.find_first_of(" \t"), line.size());
  Choice choice{.what = cli::in_small_letters(line.substr(0, gap)),
                .rest = cli::trimmed(line.substr(gap))};
  if (choice.what.size() == 1 && choice.what[0] >= '0' && choice.what[0] <= '6') {
    choice.what = names[static_cast<std::size_t>(choice.what[0] - '0')];
  }
  if (choice.what == "quit" || choice.what == "q" || choice.what == "exit") choice.what = "end";
  if (choice.what == "?") choice.what = "help";
  return choice;
}

}  // namespace

async::Task<int> Session::run() {
  const bool is_settled = co_await settle_all();
  if (is_settled) co_await serve();
  say("Please take your card. Good-bye.");
  const bool keeps_code = code_ != ops::ExitCode::ok;
  require_told(terminal_, keeps_code ? code_ : ops::ExitCode::cannot_create, untold_);
  co_return ops::to_int(code_);
}

async::Task<> Session::serve() {
  const bool is_there = co_await knock();
  if (!is_there) co_return;
  const bool is_in = co_await log_in();
  if (!is_in) co_return;
  say("\nGood day, " + ops::ForeignText(customer_.session().customer_name()).shown() + ".");
  Next next = Next::menu;
  while (next == Next::menu) next = co_await choose();
  co_await customer_.end_session();
}

async::Task<bool> Session::settle_all() {
  while (const std::optional<PendingChange> earlier = customer_.earlier()) {
    const bool is_settled = co_await settle(*earlier);
    if (!is_settled) co_return false;
  }
  co_return true;
}

async::Task<bool> Session::settle(PendingChange earlier) {
  say("One moment: what became of your earlier " + name_of(earlier) + "?");
  async::Task<Answered<Outcome>> settling = customer_.settle(earlier);
  const std::optional<Answered<Outcome>> settled =
      co_await cli::unless_interrupted(interrupts_, std::move(settling));
  if (settled && *settled) {
    say(sentence_of_earlier(**settled, earlier));
    if (is_lost()) {
      untold_ = "Your next teller command tells what became of your earlier " + name_of(earlier);
      co_return false;
    }
    if (!(*settled)->has_cannot_know()) customer_.told();
    co_return true;
  }
  const rpc::Status& status = settled ? settled->error() : gave_up;
  say("It still has no answer (" + ops::ForeignText(words_of(status)).shown() +
      "). Please come again later.");
  code_ = ops::ExitCode::unknown_outcome;
  untold_ = "Your earlier " + name_of(earlier) + " still has no answer";
  co_return false;
}

// Nobody is asked for a PIN before the ATM has answered.
async::Task<bool> Session::knock() {
  async::Task<std::optional<rpc::Status>> asking = customer_.why_no_atm();
  const auto why = co_await cli::unless_interrupted(interrupts_, std::move(asking));
  if (why && *why) give_up(**why);
  co_return why && !*why;
}

async::Task<bool> Session::log_in() {
  while (true) {
    const std::optional<std::string> pin = options_.pin ? std::exchange(options_.pin, std::nullopt)
                                                        : ask_pin("PIN: ", Empty::is_a_mistake);
    if (!pin) co_return false;
    async::Task<Answered<atm::v1::InsertCardResponse>> inserting = customer_.insert_card(*pin);
    const std::optional<Answered<atm::v1::InsertCardResponse>> inserted =
        co_await cli::unless_interrupted(interrupts_, std::move(inserting));
    if (!inserted || !*inserted) {
      give_up(inserted ? inserted->error() : gave_up);
      co_return false;
    }
    const atm::v1::InsertCardResponse& answer = **inserted;
    code_ = answer.has_session() ? ops::ExitCode::ok : ops::ExitCode::declined;
    if (answer.decline().code() == atm::v1::DECLINE_CODE_NO_SUCH_TERMINAL) {
      code_ = ops::ExitCode::usage;
    }
    if (answer.has_session()) co_return true;
    say(sentence(answer.decline()));
    // The PIN was wrong, and may be tried again.
    if (answer.decline().tries_left() == 0) co_return false;
  }
}

async::Task<Session::Next> Session::choose() {
  terminal_.write(menu);
  std::optional<std::string> line = ask("Your choice: ");
  while (line && line->empty()) line = ask("Your choice: ");
  if (!line) co_return Next::end;
  Choice choice = choice_of(*line);
  if (choice.what == "end") co_return Next::end;
  if (choice.what == "withdraw") co_return co_await withdraw(std::move(choice.rest));
  if (choice.what == "deposit") co_return co_await deposit(std::move(choice.rest));
  if (choice.what == "transfer") co_return co_await transfer(std::move(choice.rest));
  if (choice.what == "help") {
    terminal_.write(help);
    co_return Next::menu;
  }
  if (!choice.rest.empty()) choice.what = "";  // The others take nothing.
  if (choice.what == "balance") co_return co_await show_balance();
  if (choice.what == "statement") co_return co_await show_statement();
  if (choice.what == "pin") co_return co_await change_pin();
  terminal_.write("'" + ops::ForeignText(*line).shown() + "' is none of the choices. " + help);
  co_return Next::menu;
}

async::Task<Session::Next> Session::show_balance() {
  async::Task<Answered<atm::v1::GetBalanceResponse>> asking = customer_.balance();
  const auto answer = co_await cli::unless_interrupted(interrupts_, std::move(asking));
  if (!answer || !*answer) co_return give_up(answer ? answer->error() : gave_up);
  const atm::v1::GetBalanceResponse& response = **answer;
  if (!response.has_balance()) co_return show_decline(response.decline());
  terminal_.write(balance_lines(response.balance()));
  co_return Next::menu;
}

async::Task<Session::Next> Session::show_statement() {
  constexpr std::uint32_t entries = 10;
  async::Task<Answered<atm::v1::ListStatementResponse>> asking = customer_.statement(entries);
  const auto answer = co_await cli::unless_interrupted(interrupts_, std::move(asking));
  if (!answer || !*answer) co_return give_up(answer ? answer->error() : gave_up);
  const atm::v1::ListStatementResponse& response = **answer;
  if (!response.has_statement()) co_return show_decline(response.decline());
  terminal_.write(statement_table(response.statement()));
  co_return Next::menu;
}

async::Task<Session::Next> Session::withdraw(std::string amount) {
  if (amount.empty()) {
    const std::optional<std::string> chosen = choose_amount();
    if (!chosen) co_return Next::end;
    if (chosen->empty()) co_return Next::menu;
    amount = *chosen;
  }
  const std::optional<bank::v1::Money> money = parse_amount(amount);
  if (!money) co_return Next::menu;
  PendingChange asked{.id = {}, .kind = "withdrawal", .what = cli::money_text(*money)};
  async::Task<Answered<Outcome>> change = customer_.withdraw(*money);
  co_return co_await finish(std::move(asked), std::move(change));
}

async::Task<Session::Next> Session::deposit(std::string typed) {
  if (typed.empty()) {
    std::optional<std::string> line = ask("Your notes, as 2x50 1x20 (nothing to go back): ");
    if (!line) co_return Next::end;
    if (line->empty()) co_return Next::menu;
    typed = *std::move(line);
  }
  std::vector<atm::v1::Notes> notes;
  bank::v1::Money sum;
  try {
    const ledger::Currency currency = customer_.cash_currency();
    notes = cli::parse_note_list({typed}, currency, customer_.denominations());
    sum = cli::sum_of(notes, currency);
  } catch (const ops::Failure& failure) {
    say(ops::ForeignText(failure.what()).shown());
  }
  if (notes.empty() || sum.minor_units() == 0) co_return Next::menu;
  PendingChange asked{.id = {}, .kind = "deposit", .what = cli::money_text(sum)};
  async::Task<Answered<Outcome>> change = customer_.deposit(std::move(notes), asked.what);
  co_return co_await finish(std::move(asked), std::move(change));
}

// `typed` is what stood behind the word: nothing, "5", or "5 john".
async::Task<Session::Next> Session::transfer(std::string typed) {
  const std::vector<std::string> words = split(typed);
  if (words.size() > 2) {
    say("Say how much and to which account, as transfer 9.50 john.");
    co_return Next::menu;
  }
  std::optional<bank::v1::Money> money;
  if (!words.empty()) {
    money = parse_amount(words[0]);
    if (!money) co_return Next::menu;
  }
  std::optional<std::string> account =
      words.size() == 2 ? words[1] : ask("To which account (nothing to go back): ");
  if (!account) co_return Next::end;
  if (account->empty()) co_return Next::menu;
  if (const std::string why = cli::why_not_text("The account", *account); !why.empty()) {
    say(why);
    co_return Next::menu;
  }
  if (!money) {
    const std::optional<std::string> amount = ask(amount_prompt);
    if (!amount) co_return Next::end;
    if (!amount->empty()) money = parse_amount(*amount);
    if (!money) co_return Next::menu;
  }
  const std::string what = cli::money_text(*money) + " to " + *account;
  const std::optional<std::string> sure = ask("Transfer " + what + "? [y/N] ");
  if (!sure) co_return Next::end;
  if (!cli::is_yes(*sure)) {
    say("Nothing was transferred.");
    co_return Next::menu;
  }
  PendingChange asked{.id = {}, .kind = "transfer", .what = what};
  async::Task<Answered<Outcome>> change = customer_.transfer(*money, *std::move(account));
  co_return co_await finish(std::move(asked), std::move(change));
}

async::Task<Session::Next> Session::change_pin() {
  std::optional<std::string> old_pin = ask_pin("Your PIN (nothing to go back): ", Empty::goes_back);
  if (!old_pin) co_return Next::end;
  if (old_pin->empty()) co_return Next::menu;
  std::optional<std::string> new_pin = ask_pin("New PIN (nothing to go back): ", Empty::goes_back);
  if (!new_pin) co_return Next::end;
  if (new_pin->empty()) co_return Next::menu;
  const std::optional<std::string> again = ask_hidden("New PIN again: ");
  if (!again) co_return Next::end;
  if (*new_pin != *again) {
    say("The two are not the same; your PIN stays as it was.");
    co_return Next::menu;
  }
  PendingChange asked{.id = {}, .kind = "PIN change", .what = ""};
  async::Task<Answered<Outcome>> change =
      customer_.change_pin(*std::move(old_pin), *std::move(new_pin));
  co_return co_await finish(std::move(asked), std::move(change));
}

async::Task<Session::Next> Session::finish(PendingChange asked,
                                           async::Task<Answered<Outcome>> change) {
  say("One moment ...");
  if (is_lost()) co_return Next::end;  // Nobody could be told of it: nothing is sent.
  const std::optional<Answered<Outcome>> answer =
      co_await cli::unless_interrupted(interrupts_, std::move(change));
  if (!answer || !*answer) {
    const rpc::Status status = answer ? answer->error() : gave_up;
    if (status.outcome() == rpc::Outcome::no) co_return give_up(status);
    untold_ = sentence_of_unknown(asked, status);
    say(untold_ + ".");
    code_ = ops::ExitCode::unknown_outcome;
    co_return Next::end;
  }
  const Outcome& outcome = **answer;
  if (outcome.has_withdrawn()) {
    say("Please take your cash:");
    terminal_.write(counted_out(outcome.withdrawn()));
  }
  asked.id = customer_.last_id();
  say(sentence(outcome, asked));
  if (outcome.has_suspense()) code_ = ops::ExitCode::unknown_outcome;
  const bool is_done =
      outcome.has_withdrawn() || outcome.has_deposited() || outcome.has_transferred();
  if (is_done) receipt(name_of(asked), outcome);
  if (!outcome.has_declined()) has_changed_ = true;
  if (is_lost()) co_return leave_untold(outcome, asked);
  customer_.told();
  const bool is_over =
      outcome.has_declined() && outcome.declined().code() == atm::v1::DECLINE_CODE_NO_SESSION;
  co_return is_over ? Next::end : Next::menu;
}

std::optional<std::string> Session::ask(std::string_view prompt) {
  return accept(terminal_.ask(ops::ForeignText(prompt).shown(), options_.patience));
}

std::optional<std::string> Session::ask_hidden(std::string_view prompt) {
  return accept(terminal_.ask_hidden(prompt, options_.patience));
}

std::optional<std::string> Session::ask_pin(std::string_view prompt, Empty empty) {
  while (true) {
    std::optional<std::string> pin = ask_hidden(prompt);
    if (!pin || (pin->empty() && empty == Empty::goes_back)) return pin;
    const std::string why = cli::why_not_pin(*pin);
    if (why.empty()) return pin;
    say(why);
  }
}

std::optional<std::string> Session::accept(const cli::Answer& answer) {
  if (answer.is_line()) return cli::trimmed(answer.text);
  if (answer.kind == cli::Answer::Kind::timed_out) say("You have been silent for too long.");
  return std::nullopt;
}

// "" to go back to the menu.
std::optional<std::string> Session::choose_amount() {
  const std::vector<ledger::Cents> usual = customer_.usual_amounts();
  if (usual.empty()) return ask(amount_prompt);
  const ledger::Currency currency = customer_.cash_currency();
  std::string amounts = "\n";
  for (std::size_t i = 0; i < usual.size(); ++i) {
    amounts += "  " + std::to_string(i + 1) + "  " + ledger::to_text({usual[i], currency}) + "\n";
  }
  const std::string other = std::to_string(usual.size() + 1);
  terminal_.write(amounts + "  " + other + "  Another amount\n  0  Back\n");
  std::optional<std::string> line = ask("How much: ");
  if (!line || line->empty() || *line == "0") return line ? std::optional<std::string>("") : line;
  if (*line == other) return ask(amount_prompt);
  const auto choice = static_cast<std::size_t>(line->front() - '1');
  if (line->size() > 1 || choice >= usual.size()) return line;
  return ledger::major_units(usual[choice], currency);
}

std::optional<bank::v1::Money> Session::parse_amount(const std::string& text) {
  try {
    return cli::parse_amount(text, customer_.currency());
  } catch (const ops::Failure& failure) {
    say(ops::ForeignText(failure.what()).shown());
    return std::nullopt;
  }
}

Session::Next Session::show_decline(const atm::v1::Decline& decline) {
  say(sentence(decline));
  return decline.code() == atm::v1::DECLINE_CODE_NO_SESSION ? Next::end : Next::menu;
}

Session::Next Session::give_up(const rpc::Status& status) {
  const ops::Failure failure = no_answer(status);
  std::string words = ops::ForeignText(failure.what()).shown();
  if (words.starts_with("the ATM")) words.front() = 'T';
  say(words + (has_changed_ ? ". Nothing else was changed." : ". Nothing was changed."));
  code_ = failure.code();
  return Next::end;
}

// What became of the change is known, and cannot be told any more.
Session::Next Session::leave_untold(const Outcome& outcome, const PendingChange& asked) {
  const bool is_no = outcome.has_declined();
  const bool is_done = !is_no && !outcome.has_suspense();
  if (is_no) code_ = ops::ExitCode::declined;
  if (is_done) code_ = ops::ExitCode::io_error;
  untold_ = is_done ? "Your " + name_of(asked) + " was done, and your next teller command tells it"
                    : "Your next teller command tells what became of your " + name_of(asked);
  return Next::end;
}

void require_told(const cli::Terminal& terminal, ops::ExitCode code, const std::string& meaning) {
  const std::string why = terminal.why_lost();
  if (why.empty()) return;
  throw ops::Failure(code, "Standard output cannot be written: " + why + ". " + meaning);
}

void Session::receipt(const std::string& what, const Outcome& outcome) {
  const bank::v1::Balance* balance = nullptr;
  if (outcome.withdrawn().has_balance()) balance = &outcome.withdrawn().balance();
  if (outcome.deposited().has_balance()) balance = &outcome.deposited().balance();
  if (outcome.transferred().has_balance()) balance = &outcome.transferred().balance();
  const auto now = loop_.wall_now().time_since_epoch().count();
  const std::string rule(46, '-');
  say("  " + rule);
  say("  Receipt    " + cli::time_text(now) + "  " +
      ops::ForeignText(customer_.session().terminal_id()).shown());
  say("  Card       " + options_.masked_card);
  const bool is_credited = !outcome.has_deposited() || outcome.deposited().credited();
  say("  What       " + what + (is_credited ? "" : ", not yet credited"));
  if (balance != nullptr) say("  Available  " + cli::money_text(balance->available()));
  say("  Number     " + customer_.last_id().text());
  const std::uint64_t entry = bank_entry_of(outcome).ledger_seq();
  if (entry != 0) say("  At bank    entry " + std::to_string(entry));
  say("  " + rule);
}

}  // namespace teller
