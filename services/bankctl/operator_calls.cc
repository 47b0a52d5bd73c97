#include "bankctl/operator_calls.h"

#include <algorithm>
#include <array>
#include <ostream>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include <google/protobuf/descriptor.h>

#include "atm/v1/atm.pb.h"
#include "atm/v1/staff.pb.h"
#include "bank/v1/operator.pb.h"
#include "bank/v1/refusal.pb.h"
#include "bankctl/request.h"
#include "cli/message_json.h"
#include "cli/message_text.h"
#include "ops/failure.h"
#include "ops/foreign_text.h"
#include "ops/standard_streams.h"
#include "ops/suggest.h"

namespace bankctl {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

const rpc::Status interrupted = {.code = rpc::StatusCode::cancelled,
                                 .message = "you did not wait for it"};

async::Task<bool> next_of(rpc::detail::OutgoingStream* stream, Message* response) {
  co_return co_await stream->next(*response);
}

// No list gives more rows at once.
constexpr std::uint32_t page_size_max = 200;

// Methods that change nothing: asking again is always right.
bool is_question(std::string_view method) {
  constexpr std::array<std::string_view, 7> beginnings = {"Get",   "List",  "Watch", "Find",
                                                          "Count", "Audit", "Check"};
  const std::string_view name = method.substr(method.find('/') + 1);
  return std::ranges::any_of(beginnings,
                             [&](std::string_view word) { return name.starts_with(word); });
}

// The id in a request, its own or that of the change that it asks about, as text; "" when it has none.
std::string named_id(const OperatorCall& call) {
  if (!has_field(*call.request, "id")) return "";
  const auto* const field = call.request->GetDescriptor()->FindFieldByName("id");
  return cli::bytes_text(call.request->GetReflection()->GetString(*call.request, field));
}

// The id of a change, as text; "" when the request has none, or asks about another's.
std::string change_id(const OperatorCall& call) {
  const bool asks_about_another =
      call.method.ends_with("/ResolveChange") || call.method.ends_with("/FindChange");
  return asks_about_another ? "" : named_id(call);
}

std::unique_ptr<Message> new_response(const OperatorCall& call) {
  const auto* const type = method_of(call.method).output_type();
  auto* const factory = google::protobuf::MessageFactory::generated_factory();
  return std::unique_ptr<Message>(factory->GetPrototype(type)->New());
}

// A no to what was typed, and not to what was wanted.
bool is_ill_formed(const Message& outcome) {
  const auto* const refusal = dynamic_cast<const bank::v1::Refusal*>(&outcome);
  if (refusal != nullptr) return refusal->code() == bank::v1::REFUSAL_CODE_MALFORMED;
  const auto* const decline = dynamic_cast<const atm::v1::Decline*>(&outcome);
  return decline != nullptr && decline->code() == atm::v1::DECLINE_CODE_MALFORMED;
}

// The sentence of a refusal or a decline; "" for every other message.
std::string no_of(const Message& outcome) {
  const std::string says = is_ill_formed(outcome) ? " cannot do what was typed: " : " said no: ";
  if (const auto* refusal = dynamic_cast<const bank::v1::Refusal*>(&outcome)) {
    return "the bank" + says + refusal->message();
  }
  if (const auto* decline = dynamic_cast<const atm::v1::Decline*>(&outcome)) {
    return "the ATM" + says + decline->message();
  }
  return "";
}

// The currencies of all amounts in a message, each once.
void collect_currencies(const Message& message, std::set<std::string>& currencies) {
  if (const auto* money = dynamic_cast<const bank::v1::Money*>(&message)) {
    currencies.insert(money->currency());
    return;
  }
  const auto& reflection = *message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const FieldDescriptor* const field : fields) {
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) continue;
    if (!field->is_repeated()) {
      collect_currencies(reflection.GetMessage(message, field), currencies);
    } else {
      for (int i = 0; i < reflection.FieldSize(message, field); ++i) {
        collect_currencies(reflection.GetRepeatedMessage(message, field, i), currencies);
      }
    }
  }
}

// Whether an answer to a change can be one: a yes has its number in the bank's journal, and all its
// amounts are in the one currency that was asked for. What cannot be is neither yes nor no.
bool can_be(const Message& response, const Message& request) {
  const FieldDescriptor* const field = outcome_of(response);
  if (field == nullptr) return true;
  const Message& outcome = response.GetReflection()->GetMessage(response, field);
  if (!no_of(outcome).empty()) return true;
  const auto* const done = dynamic_cast<const bank::v1::Done*>(&outcome);
  const auto* const receipt = dynamic_cast<const bank::v1::Receipt*>(&outcome);
  if (done != nullptr && done->ledger_seq() == 0) return false;
  if (receipt != nullptr && receipt->ledger_seq() == 0) return false;
  std::set<std::string> answered;
  collect_currencies(outcome, answered);
  std::set<std::string> all = answered;
  collect_currencies(request, all);
  return answered.empty() || (all.size() == 1 && !all.contains(""));
}

// Of what became of a change: whether a balance of back then is told.
bool has_old_balance(const Message& response) {
  const FieldDescriptor* const field = outcome_of(response);
  if (field == nullptr || !has_field(response, "summary")) return false;
  const Message& outcome = response.GetReflection()->GetMessage(response, field);
  const auto* const receipt = dynamic_cast<const bank::v1::Receipt*>(&outcome);
  return receipt != nullptr && receipt->has_balance();
}

// Of an audit: why only the ATM's own books were compared; else "".
std::string why_without_bank(const Message& response) {
  const auto* const audit = dynamic_cast<const atm::v1::AuditResponse*>(&response);
  if (audit == nullptr) return "";
  if (!audit->not_compared().empty()) return audit->not_compared();
  return audit->has_at_bank() ? "" : "it says no figure of the bank's";
}

// What staff hear who put a terminal into service that stays out of it; "" of all other answers.
std::string why_still_out(const Message& response, const Message& request) {
  const auto* const asked = dynamic_cast<const atm::v1::SetServiceRequest*>(&request);
  const auto* const now = dynamic_cast<const atm::v1::SetServiceResponse*>(&response);
  if (asked == nullptr || now == nullptr || !asked->in_service()) return "";
  const atm::v1::Terminal& terminal = now->terminal();
  if (terminal.state() == atm::v1::SERVICE_STATE_IN_SERVICE) return "";
  return terminal.terminal_id() + " stays out of service: " + terminal.reason();
}

const rpc::Status unfit = {.code = rpc::StatusCode::internal,
                           .message = "what it says is no answer to this",
                           .bad_answer = true};

}  // namespace

std::string_view nothing_changed(bool may_repeat) {
  return may_repeat
             ? "This try changed nothing; what an earlier one with this id did is still unknown"
             : "Nothing was changed";
}

async::Task<std::unique_ptr<Message>> OperatorCalls::ask(OperatorCall call) {
  call.is_before_change = true;
  std::unique_ptr<Message> response = new_response(call);
  co_await exchange_all(call, *response);
  const FieldDescriptor* const outcome = outcome_of(*response);
  const bool is_no = outcome != nullptr && outcome->name() == "refusal";
  if (is_no) print(*response);
  judge(*response);
  co_return response;
}

async::Task<int> OperatorCalls::call(OperatorCall call) {
  const std::unique_ptr<Message> response = new_response(call);
  co_await exchange_all(call, *response);
  const FieldDescriptor* const outcome = outcome_of(*response);
  const bool has_found = outcome == nullptr || outcome->name() != "never_seen";
  if (call.is_look_up && !has_found) co_return found_nothing;
  print(*response);
  const int code = judge(*response);
  const std::string why = why_still_out(*response, *call.request);
  if (!why.empty()) throw ops::Failure(ops::ExitCode::declined, why);
  if (!is_question(call.method)) {
    ops::require_written(out_, ops::ExitCode::io_error, "It was done");
  }
  co_return code;
}

// Throws when there is no answer.
async::Task<> OperatorCalls::exchange_all(const OperatorCall& call, Message& response) {
  async::Task<rpc::Status> exchanged = has_field(*call.request, "page_token")
                                           ? exchange_pages(call, response)
                                           : exchange(call, response);
  const std::optional<rpc::Status> status =
      co_await cli::unless_interrupted(interrupts_, std::move(exchanged));
  if (!status) fail(call, interrupted);
  if (!status->is_ok()) fail(call, *status);
  if (!is_question(call.method) && !can_be(response, *call.request)) fail(call, unfit);
}

async::Task<rpc::Status> OperatorCalls::exchange(const OperatorCall& call, Message& response) {
  rpc::Context context(loop_.in(settings_.timeout));
  rpc::detail::OutgoingCall outgoing =
      channel_.exchange(call.method, *call.request, response, std::move(context));
  co_return co_await outgoing;
}

async::Task<rpc::Status> OperatorCalls::exchange_pages(const OperatorCall& call,
                                                       Message& response) {
  const auto& type = *response.GetDescriptor();
  const auto& reflection = *response.GetReflection();
  const FieldDescriptor* const next = type.FindFieldByName("next_page_token");
  const FieldDescriptor* rows = nullptr;
  for (int i = 0; i < type.field_count(); ++i) {
    if (type.field(i)->is_repeated()) rows = type.field(i);
  }
  std::uint32_t size = 0;
  while (true) {
    set_number(*call.request, "page_size", std::min(settings_.limit - size, page_size_max));
    const std::unique_ptr<Message> page(response.New());
    const rpc::Status status = co_await exchange(call, *page);
    if (!status.is_ok()) co_return status;
    const std::string token = page->GetReflection()->GetString(*page, next);
    response.MergeFrom(*page);
    reflection.SetString(&response, next, token);
    size = static_cast<std::uint32_t>(reflection.FieldSize(response, rows));
    if (token.empty() || size >= settings_.limit) co_return status;
    set_bytes(*call.request, "page_token", token);
  }
}

async::Task<int> OperatorCalls::watch(OperatorCall call) {
  const std::unique_ptr<Message> response = new_response(call);
  std::unique_ptr<Message> request(call.request->New());
  request->CopyFrom(*call.request);
  rpc::Context context(async::Deadline::never());
  const std::unique_ptr<rpc::detail::OutgoingStream> stream =
      channel_.exchange_stream(call.method, std::move(request), std::move(context));
  while (true) {
    async::Task<bool> next = next_of(stream.get(), response.get());
    const std::optional<bool> more = co_await cli::while_read(interrupts_, std::move(next));
    if (!more || !*more) co_return 0;
    const std::string line = settings_.json ? cli::to_json(*response) : cli::to_line(*response);
    out_ << line << "\n";
    ops::require_written(out_, ops::ExitCode::io_error);
  }
}

void OperatorCalls::print(const Message& response) const {
  if (settings_.json) {
    out_ << cli::to_json(response) << "\n";
    return;
  }
  const FieldDescriptor* const outcome = outcome_of(response);
  if (outcome != nullptr) {
    const Message& answer = response.GetReflection()->GetMessage(response, outcome);
    // judge() says it.
    if (outcome->name() == "never_seen") return;
    if (!no_of(answer).empty() && outcome->name() != "refused") return;
    // What became of a change its summary says.
    if (!has_field(response, "summary")) out_ << outcome->name() << "\n";
  }
  const std::string text = cli::to_text(response);
  const bool says_nothing = outcome == nullptr && response.GetDescriptor()->field_count() == 0;
  out_ << (says_nothing ? "done\n" : text);
  if (has_old_balance(response)) out_ << "The balance is the one right after that change.\n";
  const FieldDescriptor* const next = response.GetDescriptor()->FindFieldByName("next_page_token");
  const std::string token =
      next == nullptr ? "" : response.GetReflection()->GetString(response, next);
  if (!token.empty()) {
    out_ << "There are more: go on with --page " << token << ", or ask for more with --limit N.\n";
  }
  for (const std::string& exception : texts_in(response, "exceptions")) {
    out_ << "exception: " << ops::ForeignText(exception).shown() << "\n";
  }
  if (!has_field(response, "differences")) return;
  const std::vector<std::string> differences = texts_in(response, "differences");
  for (const std::string& difference : differences) {
    out_ << "difference: " << ops::ForeignText(difference).shown() << "\n";
  }
  if (!differences.empty()) return;
  const bool is_whole = why_without_bank(response).empty();
  out_ << (is_whole ? "Nothing differs.\n" : "Nothing differs inside the ATM.\n");
}

int OperatorCalls::judge(const Message& response) const {
  const auto& reflection = *response.GetReflection();
  if (const FieldDescriptor* const outcome = outcome_of(response)) {
    const Message& answer = reflection.GetMessage(response, outcome);
    const std::string no = no_of(answer);
    // "refused" is the answer to what became of a change, and no refusal of the question.
    if (!no.empty() && outcome->name() != "refused") {
      throw ops::Failure(is_ill_formed(answer) ? ops::ExitCode::usage : ops::ExitCode::declined,
                         no);
    }
    if (outcome->name() == "never_seen") {
      throw ops::Failure(ops::ExitCode::declined, text_at(response, "summary"));
    }
  }
  const std::vector<std::string> differences = texts_in(response, "differences");
  if (!differences.empty()) {
    throw ops::Failure(ops::ExitCode::bad_data, "It does not add up: " + differences.front());
  }
  if (const std::string why = why_without_bank(response); !why.empty()) {
    throw ops::Failure(ops::ExitCode::unavailable,
                       "The ATM compared only its own books, not the bank's figure: " +
                           ops::as_sentence(ops::ForeignText(why).shown()) + " Ask again");
  }
  return ops::to_int(ops::ExitCode::ok);
}

// What was typed, or how things stand; else what cli::no_answer says.
void OperatorCalls::fail_with_no(const OperatorCall& call, const rpc::Status& status) const {
  using enum rpc::StatusCode;
  std::string sentence;
  switch (status.code) {
    case not_found:
      // The ATM's of its terminals alone, and the bank's of what is listed.
      if (call.method.starts_with("bank.")) {
        throw ops::Failure(ops::ExitCode::declined, call.server + " said no: " + status.message);
      }
      [[fallthrough]];
    case invalid_argument:
      throw ops::Failure(ops::ExitCode::usage,
                         call.server + " cannot do what was typed: " + status.message);
    case failed_precondition:
      sentence = call.server + " said no: " + status.message;
      if (call.may_repeat && !is_question(call.method)) {
        sentence += sentence.ends_with('.') ? " " : ". ";
        sentence += nothing_changed(call.may_repeat);
      }
      throw ops::Failure(ops::ExitCode::declined, sentence);
    case unimplemented: {
      const async::Endpoint& address =
          call.method.starts_with("bank.") ? settings_.bank : settings_.atm;
      throw ops::Failure(ops::ExitCode::protocol, address.text() + " has no method " + call.method +
                                                      ": is that " + call.server + "?");
    }
    default:
      return;
  }
}

void OperatorCalls::fail(const OperatorCall& call, const rpc::Status& status) const {
  if (!status.bad_answer && status.outcome() == rpc::Outcome::no) fail_with_no(call, status);
  if (is_question(call.method) || status.outcome() == rpc::Outcome::no) {
    const ops::Failure failure = cli::no_answer(call.server, status);
    const bool is_silence = failure.code() == ops::ExitCode::unavailable;
    const bool is_about_change =
        call.is_before_change || call.is_look_up || !is_question(call.method);
    if (!is_silence || !is_about_change) throw failure;
    const std::string advice = call.may_repeat ? ". Try again with the same id" : "";
    throw ops::Failure(failure.code(), std::string(failure.what()) + ". " +
                                           std::string(nothing_changed(call.may_repeat)) + advice);
  }
  const std::string id = change_id(call);
  if (settings_.json) {
    const std::string named = named_id(call);
    out_ << "{\"outcome\":\"unknown\",\"id\":" << (named.empty() ? "null" : cli::json_string(named))
         << "}\n";
  }
  // It has answered. But an earlier try may have been done, and a reply may be what had no room.
  const bool has_no_room = status.code == rpc::StatusCode::resource_exhausted;
  std::string sentence = has_no_room
                             ? call.server + " says that it cannot do it now (" + status.text() +
                                   "). Whether an earlier try was done is not known."
                             : "No answer from " + call.server + " (" + status.text() +
                                   "): it may have been done, or may not.";
  if (!id.empty() && call.method.starts_with("bank.")) {
    sentence +=
        " Ask with `bankctl resolve " + id + "`, or repeat the command with --id " + id + ".";
  } else if (!id.empty()) {
    sentence += " Repeat the command with --id " + id + ": it is done once.";
  } else {
    sentence += " Look, and repeat the command if need be.";
  }
  throw ops::Failure(ops::ExitCode::unknown_outcome, sentence);
}

}  // namespace bankctl
