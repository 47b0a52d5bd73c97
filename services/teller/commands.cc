#include "teller/commands.h"

#include <ostream>
#include <utility>

#include <google/protobuf/descriptor.h>

#include "cli/amount.h"
#include "cli/message_json.h"
#include "cli/message_text.h"
#include "ops/failure.h"
#include "ops/foreign_text.h"
#include "ops/standard_streams.h"
#include "ops/suggest.h"
#include "teller/told.h"

namespace teller {
namespace {

PendingChange described(const Wish& wish, const Sums& sums) {
  switch (wish.what) {
    case Wish::What::withdraw:
      return {.id = {}, .kind = "withdrawal", .what = cli::money_text(sums.amount)};
    case Wish::What::deposit:
      return {.id = {}, .kind = "deposit", .what = cli::money_text(sums.amount)};
    case Wish::What::transfer:
      return {.id = {},
              .kind = "transfer",
              .what = cli::money_text(sums.amount) + " to " + wish.target_account};
    default:
      return {.id = {}, .kind = "PIN change", .what = ""};
  }
}

std::string full_sentence(std::string text) {
  return text.empty() ? text : ops::as_sentence(std::move(text));
}

ops::ExitCode code_of(const Outcome& outcome) {
  switch (outcome.outcome_case()) {
    case Outcome::kWithdrawn:
    case Outcome::kDeposited:
    case Outcome::kTransferred:
    case Outcome::kPinChanged:
      return ops::ExitCode::ok;
    case Outcome::kDeclined:
      return ops::ExitCode::declined;
    default:
      return ops::ExitCode::unknown_outcome;
  }
}

}  // namespace

std::pair<std::string, const google::protobuf::Message*> set_in(
    const google::protobuf::Message& response) {
  const auto* const oneof = response.GetDescriptor()->FindOneofByName("outcome");
  const auto* const field = response.GetReflection()->GetOneofFieldDescriptor(response, oneof);
  if (field == nullptr) return {"error", nullptr};
  const std::string name = field->name() == "decline" ? "declined" : field->name();
  return {name, &response.GetReflection()->GetMessage(response, field)};
}

async::Task<int> CustomerCommand::run(Wish wish) {
  try {
    co_return co_await settle_and_do(std::move(wish));
  } catch (const std::exception& error) {
    // A PIN that cannot be read, a file that cannot be written: what became of an earlier change is
    // told all the same.
    const ops::Ending ending = ops::ending_of(error, cli::rpc_endings);
    Report report{.code = ending.code,
                  .outcome = "error",
                  .body = nullptr,
                  .text = "",
                  .sentence = ending.sentence,
                  .id = ""};
    if (json_ && !has_printed_json_) print_json(report);
    throw;
  }
}

async::Task<int> CustomerCommand::settle_and_do(Wish wish) {
  while (const std::optional<PendingChange> earlier = customer_.earlier()) {
    const Settled settled = co_await settle_earlier(*earlier, wish.is_change());
    if (settled == Settled::no) co_return ops::to_int(ops::ExitCode::unknown_outcome);
    if (settled == Settled::untold) co_return ops::to_int(ops::ExitCode::cannot_create);
    if (settled == Settled::later) break;
  }
  co_return co_await begin_session(std::move(wish));
}

async::Task<CustomerCommand::Settled> CustomerCommand::settle_earlier(PendingChange earlier,
                                                                      bool is_change) {
  if (pins_.show) pins_.show("One moment: what became of your earlier " + name_of(earlier) + "?");
  async::Task<Answered<Outcome>> settling = customer_.settle(earlier);
  const std::optional<Answered<Outcome>> settled =
      co_await cli::unless_interrupted(interrupts_, std::move(settling));
  if (settled && *settled) {
    const Outcome& outcome = **settled;
    const std::string words = sentence_of_earlier(outcome, earlier);
    if (outcome.has_cannot_know()) {
      unsettled_ = name_of(earlier);
      errors_ << "teller: " << ops::ForeignText(words).shown() << "\n";
      co_return Settled::yes;
    }
    const auto [name, body] = set_in(outcome);
    earlier_json_ = "{\"id\":" + cli::json_string(earlier.id.text()) +
                    ",\"kind\":" + cli::json_string(earlier.kind) +
                    ",\"what\":" + cli::json_string(earlier.what) +
                    ",\"outcome\":" + cli::json_string(name) +
                    ",\"message\":" + cli::json_string(words) + ",\"" + name +
                    "\":" + cli::to_json(*body) + "}";
    if (!json_) out_ << words << "\n" << std::flush;
    // One that was not told now is told by the next command.
    if (say_if_unwritten("Nothing was changed; what became of your earlier " + name_of(earlier) +
                         " is told by your next teller command")) {
      co_return Settled::untold;
    }
    earlier_words_ = words;
    customer_.told();
    co_return Settled::yes;
  }
  const rpc::Status& status = settled ? settled->error() : gave_up;
  const std::string words =
      "Your earlier " + name_of(earlier) + " still has no answer (" + words_of(status) + ")";
  if (!is_change && settled) {
    unsettled_ = name_of(earlier);
    errors_ << "teller: " << ops::ForeignText(words).shown() << ".\n";
    co_return Settled::later;
  }
  print({.code = ops::ExitCode::unknown_outcome,
         .outcome = "unknown",
         .body = nullptr,
         .text = "",
         .sentence = words + ". Nothing else was begun; run the command again later",
         .id = earlier.id.text()});
  co_return Settled::no;
}

async::Task<int> CustomerCommand::begin_session(Wish wish) {
  if (pins_.asks_somebody) {
    async::Task<std::optional<rpc::Status>> asking = customer_.why_no_atm();
    const auto why = co_await cli::unless_interrupted(interrupts_, std::move(asking));
    if (!why) co_return no_answer(gave_up);
    if (*why) co_return no_answer(**why);
  }
  // All questions first: a session keeps others from the ATM.
  pin_ = pins_.pin();
  if (wish.what == Wish::What::change_pin) new_pin_ = pins_.new_pin();
  async::Task<Answered<atm::v1::InsertCardResponse>> inserting = customer_.insert_card(pin_);
  const std::optional<Answered<atm::v1::InsertCardResponse>> inserted =
      co_await cli::unless_interrupted(interrupts_, std::move(inserting));
  if (!inserted) co_return no_answer(gave_up);
  if (!*inserted) co_return no_answer(inserted->error());
  const atm::v1::InsertCardResponse& answer = **inserted;
  if (answer.decline().code() == atm::v1::DECLINE_CODE_NO_SUCH_TERMINAL) {
    co_return print({.code = ops::ExitCode::usage,
                     .outcome = "error",
                     .body = nullptr,
                     .text = "",
                     .sentence = sentence(answer.decline()),
                     .id = ""});
  }
  if (!answer.has_session()) {
    co_return print({.code = ops::ExitCode::declined,
                     .outcome = "declined",
                     .body = &answer.decline(),
                     .text = "",
                     .sentence = sentence(answer.decline()),
                     .id = ""});
  }
  const bool is_change = wish.is_change();
  async::Task<int> doing = is_change ? do_change(std::move(wish)) : do_question(std::move(wish));
  const int code = co_await doing;
  co_await customer_.end_session();
  co_return code;
}

async::Task<int> CustomerCommand::do_question(Wish wish) {
  if (wish.what == Wish::What::balance) {
    async::Task<Answered<atm::v1::GetBalanceResponse>> asking = customer_.balance();
    const auto answer = co_await cli::unless_interrupted(interrupts_, std::move(asking));
    if (!answer) co_return no_answer(gave_up);
    if (!*answer) co_return no_answer(answer->error());
    const atm::v1::GetBalanceResponse& response = **answer;
    const auto [name, body] = set_in(response);
    Report report{.outcome = name, .body = body, .text = "", .sentence = "", .id = ""};
    if (response.has_balance()) {
      report.text = balance_lines(response.balance());
    } else {
      report.code = ops::ExitCode::declined;
      report.sentence = sentence(response.decline());
    }
    co_return print(report);
  }
  async::Task<Answered<atm::v1::ListStatementResponse>> asking = customer_.statement(wish.entries);
  const auto answer = co_await cli::unless_interrupted(interrupts_, std::move(asking));
  if (!answer) co_return no_answer(gave_up);
  if (!*answer) co_return no_answer(answer->error());
  const atm::v1::ListStatementResponse& response = **answer;
  const auto [name, body] = set_in(response);
  Report report{.outcome = name, .body = body, .text = "", .sentence = "", .id = ""};
  if (response.has_statement()) {
    report.text = statement_table(response.statement());
    if (!response.statement().next_page_token().empty()) {
      report.text += "For more of them say --entries N.\n";
    }
  } else {
    report.code = ops::ExitCode::declined;
    report.sentence = sentence(response.decline());
  }
  co_return print(report);
}

async::Task<int> CustomerCommand::do_change(Wish wish) {
  Sums sums;
  std::string mistake;
  try {
    sums = sums_of(wish);
  } catch (const ops::Failure& failure) {
    mistake = failure.what();
  }
  if (!mistake.empty()) {
    co_return print({.code = ops::ExitCode::usage,
                     .outcome = "error",
                     .body = nullptr,
                     .text = "",
                     .sentence = mistake,
                     .id = ""});
  }
  PendingChange asked = described(wish, sums);
  if (pins_.show) pins_.show("Your " + name_of(asked) + " ...");
  async::Task<Answered<Outcome>> sending = send(std::move(wish), std::move(sums));
  const std::optional<Answered<Outcome>> answer =
      co_await cli::unless_interrupted(interrupts_, std::move(sending));
  asked.id = customer_.last_id();
  const std::string id = asked.id.text();
  if (answer && *answer) {
    const Outcome& outcome = **answer;
    const auto [name, body] = set_in(outcome);
    Report report{.code = code_of(outcome),
                  .outcome = name,
                  .body = body,
                  .text = "",
                  .sentence = "",
                  .id = id};
    const std::string words = sentence(outcome, asked);
    (report.code == ops::ExitCode::ok ? report.text : report.sentence) = words;
    if (!report.text.empty()) report.text += '\n';
    const int code = print(report);
    if (out_.good()) customer_.told();
    if (code != ops::to_int(ops::ExitCode::ok)) co_return code;
    const bool is_lost = say_if_unwritten("It was done, and your next teller command tells it");
    co_return is_lost ? ops::to_int(ops::ExitCode::io_error) : code;
  }
  const rpc::Status& status = answer ? answer->error() : gave_up;
  if (status.outcome() == rpc::Outcome::no) co_return no_answer(status);
  co_return print({.code = ops::ExitCode::unknown_outcome,
                   .outcome = "unknown",
                   .body = nullptr,
                   .text = "",
                   .sentence = sentence_of_unknown(asked, status),
                   .id = id});
}

async::Task<Answered<Outcome>> CustomerCommand::send(Wish wish, Sums sums) {
  switch (wish.what) {
    case Wish::What::withdraw:
      return customer_.withdraw(std::move(sums.amount));
    case Wish::What::deposit:
      return customer_.deposit(std::move(sums.notes), cli::money_text(sums.amount));
    case Wish::What::transfer:
      return customer_.transfer(std::move(sums.amount), std::move(wish.target_account));
    default:
      return customer_.change_pin(pin_, new_pin_);
  }
}

// Throws ops::Failure when they are none.
Sums CustomerCommand::sums_of(const Wish& wish) const {
  if (wish.what == Wish::What::change_pin) return {};
  const bool is_deposit = wish.what == Wish::What::deposit;
  const ledger::Currency currency = is_deposit ? customer_.cash_currency() : customer_.currency();
  if (!wish.currency.empty() && wish.currency != currency.text()) {
    throw ops::Failure(ops::ExitCode::usage,
                       (is_deposit ? "This ATM's notes are in " : "Your account is in ") +
                           currency.text() + ", and not in " + wish.currency);
  }
  if (!is_deposit) return {.amount = cli::parse_amount(wish.amount, currency)};
  Sums sums;
  sums.notes = cli::parse_note_list(wish.notes, currency, customer_.denominations());
  sums.amount = cli::sum_of(sums.notes, currency);
  return sums;
}

int CustomerCommand::no_answer(const rpc::Status& status) {
  const ops::Failure failure = teller::no_answer(status);
  const std::string unchanged = unsettled_.empty()
                                    ? "Nothing was changed"
                                    : "This command changed nothing; what became of your earlier " +
                                          unsettled_ + " is still unknown";
  return print({.code = failure.code(),
                .outcome = "error",
                .body = nullptr,
                .text = "",
                .sentence = std::string(failure.what()) + ". " + unchanged,
                .id = ""});
}

int CustomerCommand::print(const Report& report) {
  const std::string sentence = full_sentence(report.sentence);
  if (json_) {
    print_json(report);
  } else {
    out_ << report.text << std::flush;
  }
  if (!sentence.empty()) errors_ << "teller: " << ops::ForeignText(sentence).shown() << "\n";
  return ops::to_int(report.code);
}

void CustomerCommand::print_json(const Report& report) {
  const std::string sentence = full_sentence(report.sentence);
  std::string json = "{\"outcome\":" + cli::json_string(report.outcome);
  if (!report.id.empty()) json += ",\"id\":" + cli::json_string(report.id);
  if (!sentence.empty()) json += ",\"message\":" + cli::json_string(sentence);
  if (report.body != nullptr) json += ",\"" + report.outcome + "\":" + cli::to_json(*report.body);
  if (!earlier_json_.empty()) json += ",\"earlier\":" + earlier_json_;
  has_printed_json_ = true;  // Also if it cannot be written: a second try would not be either.
  out_ << json << "}\n" << std::flush;
  if (out_.good() || earlier_words_.empty()) return;
  errors_ << "teller: " << ops::ForeignText(earlier_words_).shown() << "\n";
}

bool CustomerCommand::say_if_unwritten(const std::string& consequence) {
  const std::string why = ops::why_unwritten(out_);
  if (why.empty()) return false;
  errors_ << "teller: " << ops::ForeignText(full_sentence(why + ". " + consequence)).shown()
          << "\n";
  return true;
}

}  // namespace teller
