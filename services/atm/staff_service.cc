#include "atm/staff_service.h"

#include <charconv>
#include <limits>
#include <map>
#include <ranges>
#include <utility>

#include "atm/described.h"
#include "atm/messages.h"

namespace atm {

namespace {

// Of each of a reply's two lists: together they leave room for the rest of a frame.
constexpr std::size_t listed_bytes_max = 28'000;

constexpr std::array<FaultKind, 6> fault_kinds = {FaultKind::none, FaultKind::none,
                                                  FaultKind::jam,  FaultKind::present_unknown,
                                                  FaultKind::slow, FaultKind::dead};

template <Record T>
void append_open(std::vector<v1::OpenItem>& to, const Items<T>& items, const Terminal& terminal,
                 Currency currency) {
  for (const ItemPointer<T>& item : items.open(terminal)) {
    v1::OpenItem& open = to.emplace_back();
    open.set_id(std::string(item->record.id.view()));
    open.set_kind(std::string(T::kind));
    open.set_state(std::string(name(item->record.state)));
    open.set_waiting_for(item->waiting_for);
    if constexpr (std::same_as<T, Withdrawal>) {
      *open.mutable_amount() = to_wire(item->record.amount, currency);
    } else if constexpr (std::same_as<T, Deposit>) {
      *open.mutable_amount() = to_wire(item->record.counted.amount(), currency);
    } else {
      open.set_kind(std::string(name(item->record.direction)));
      *open.mutable_amount() = to_wire(item->record.notes.amount(), currency);
    }
  }
}

// Of the items that ended as they must not a sentence each, by id: the operator should know (rule
// 17).
template <Record T>
void add_exceptions(std::map<OperationId, std::string>& to, const Items<T>& items,
                    JournalFile& file, const Terminal& terminal, Currency currency) {
  const auto add = [&to, currency](const T& record) {
    to.try_emplace(record.id, exception_sentence(record, currency));
  };
  for (const T& record : file.read<T>("terminal = ? AND exception != ''", {terminal.id()})) {
    add(record);
  }
  for (const T& record : items.refused(terminal)) add(record);
}

std::size_t bytes_of(const std::string& text) { return text.size(); }
std::size_t bytes_of(const google::protobuf::Message& message) { return message.ByteSizeLong(); }

// Adds those that fit into a reply beside the rest of it. Returns how many do not.
template <typename T>
std::uint32_t add_what_fits(std::vector<T> from, google::protobuf::RepeatedPtrField<T>* to) {
  std::uint32_t left_out = 0;
  std::size_t bytes = 0;
  for (T& each : from) {
    constexpr std::size_t overhead = 8;  // Tag and length.
    bytes += bytes_of(each) + overhead;
    if (bytes > listed_bytes_max) {
      ++left_out;
    } else {
      *to->Add() = std::move(each);
    }
  }
  return left_out;
}

constexpr std::uint32_t declines_page_size_usual = 50;
constexpr std::uint32_t declines_page_size_max = 200;
// A page of long entries ends early rather than outgrow a frame.
constexpr std::size_t declines_page_bytes_max = 2 * listed_bytes_max;

// The number of the newest that is asked for.
std::uint64_t place_of(const std::string& page_token) {
  if (page_token.empty()) return std::numeric_limits<std::uint64_t>::max();
  std::uint64_t place = 0;
  const char* const end = page_token.data() + page_token.size();
  const auto read = std::from_chars(page_token.data(), end, place);
  if (read.ec == std::errc() && read.ptr == end) return place;
  throw rpc::Error(rpc::StatusCode::invalid_argument, "that is no page of this list");
}

std::optional<ops::DayNumber> parse_day(const std::string& text) {
  int year = 0;
  unsigned month = 0;
  unsigned day = 0;
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
  const char* const at = text.data();
  const auto year_end = std::from_chars(at, at + 4, year);
  const auto month_end = std::from_chars(at + 5, at + 7, month);
  const auto day_end = std::from_chars(at + 8, at + 10, day);
  const bool read = year_end.ptr == at + 4 && month_end.ptr == at + 7 && day_end.ptr == at + 10;
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(month),
                                         std::chrono::day(day)};
  if (!read || !date.ok()) return std::nullopt;
  return static_cast<ops::DayNumber>(std::chrono::sys_days(date).time_since_epoch().count());
}

}  // namespace

void StaffService::serve_on(rpc::Server& server) {
  server.handle<&StaffService::list_terminals>("atm.v1.StaffService/ListTerminals", *this);
  server.handle<&StaffService::list_cassettes>("atm.v1.StaffService/ListCassettes", *this);
  server.handle<&StaffService::load>("atm.v1.StaffService/Load", *this);
  server.handle<&StaffService::unload>("atm.v1.StaffService/Unload", *this);
  server.handle<&StaffService::count>("atm.v1.StaffService/Count", *this);
  server.handle<&StaffService::get_day_totals>("atm.v1.StaffService/GetDayTotals", *this);
  server.handle<&StaffService::audit>("atm.v1.StaffService/Audit", *this);
  server.handle<&StaffService::set_service>("atm.v1.StaffService/SetService", *this);
  server.handle<&StaffService::accept_bank_history>("atm.v1.StaffService/AcceptBankHistory", *this);
  server.handle<&StaffService::list_open_items>("atm.v1.StaffService/ListOpenItems", *this);
  server.handle<&StaffService::list_declines>("atm.v1.StaffService/ListDeclines", *this);
  server.handle<&StaffService::set_fault>("atm.v1.StaffService/SetFault", *this);
}

Terminal& StaffService::terminal(const std::string& id) {
  Terminal* const found = find_terminal(terminals_, id);
  if (found != nullptr) return *found;
  const auto code = id.empty() ? rpc::StatusCode::invalid_argument : rpc::StatusCode::not_found;
  const std::string hint = id.empty() ? ". Say which with --terminal ID" : "";
  throw rpc::Error(code, why_no_terminal(terminals_, id) + hint);
}

std::vector<v1::OpenItem> StaffService::open_items(const Terminal& terminal) const {
  std::vector<v1::OpenItem> items;
  append_open(items, known_.withdrawals, terminal, machinery_.settings.currency);
  append_open(items, known_.deposits, terminal, machinery_.settings.currency);
  append_open(items, known_.movements, terminal, machinery_.settings.currency);
  return items;
}

std::vector<std::string> StaffService::exceptions(const Terminal& terminal) const {
  std::map<OperationId, std::string> by_id;
  JournalFile& file = machinery_.journal.file();
  add_exceptions(by_id, known_.withdrawals, file, terminal, machinery_.settings.currency);
  add_exceptions(by_id, known_.deposits, file, terminal, machinery_.settings.currency);
  add_exceptions(by_id, known_.movements, file, terminal, machinery_.settings.currency);
  std::vector<std::string> sentences;
  for (auto& [id, sentence] : std::views::reverse(by_id)) sentences.push_back(std::move(sentence));
  return sentences;
}

v1::Terminal StaffService::view(const Terminal& terminal) const {
  const Terminal::Service service = terminal.service();
  v1::Terminal view;
  view.set_terminal_id(terminal.id());
  view.set_state(service.state);
  view.set_reason(service.reason);
  *view.mutable_cash() = to_wire(terminal.stock().inside(), machinery_.settings.currency);
  view.set_open_items(static_cast<std::uint32_t>(open_items(terminal).size()));
  return view;
}

Task<v1::ListTerminalsResponse> StaffService::list_terminals(v1::ListTerminalsRequest /*request*/,
                                                             rpc::Context /*context*/) {
  v1::ListTerminalsResponse response;
  for (const auto& [id, terminal] : terminals_) *response.add_terminals() = view(*terminal);
  co_return response;
}

Task<v1::ListCassettesResponse> StaffService::list_cassettes(v1::ListCassettesRequest request,
                                                             rpc::Context /*context*/) {
  const Stock& stock = terminal(request.terminal_id()).stock();
  const Currency currency = machinery_.settings.currency;
  v1::ListCassettesResponse response;
  for (const Cassette& cassette : stock.cassettes()) {
    v1::Cassette& view = *response.add_cassettes();
    view.set_position(cassette.position);
    *view.mutable_notes() =
        to_wire({.denomination = cassette.denomination, .count = cassette.count}, currency);
  }
  *response.mutable_deposit_bin() = to_wire(stock.notes(Pot::deposit_bin), currency);
  *response.mutable_reject_bin() = to_wire(stock.notes(Pot::rejected), currency);
  *response.mutable_unknown() = to_wire(stock.notes(Pot::unknown), currency);
  co_return response;
}

Task<v1::CountResponse> StaffService::count(v1::CountRequest request, rpc::Context /*context*/) {
  Terminal& at = terminal(request.terminal_id());
  const Told<Dispenser::Inside> dispenser = co_await at.dispenser().count();
  const Told<Acceptor::Inside> acceptor = co_await at.acceptor().count();
  if (!dispenser) throw rpc::Error(rpc::StatusCode::failed_precondition, dispenser.error().why);
  if (!acceptor) throw rpc::Error(rpc::StatusCode::failed_precondition, acceptor.error().why);

  const Currency currency = machinery_.settings.currency;
  Notes in_cassettes;
  for (const Cassette& cassette : dispenser->cassettes) {
    in_cassettes.add(cassette.denomination, cassette.count);
  }
  const Notes expected = at.stock().notes(Pot::cassette) + at.stock().notes(Pot::rejected) +
                         at.stock().notes(Pot::deposit_bin);
  v1::CountResponse response;
  *response.mutable_expected() = to_wire(expected, currency);
  *response.mutable_counted() =
      to_wire(in_cassettes + dispenser->rejected + acceptor->bin, currency);
  for (const std::vector<std::string>& differences :
       {differences_found("cassettes", at.stock().notes(Pot::cassette), in_cassettes, currency),
        differences_found("reject bin", at.stock().notes(Pot::rejected), dispenser->rejected,
                          currency),
        differences_found("deposit bin", at.stock().notes(Pot::deposit_bin), acceptor->bin,
                          currency)}) {
    for (const std::string& difference : differences) response.add_differences(difference);
  }
  co_return response;
}

Task<v1::GetDayTotalsResponse> StaffService::get_day_totals(v1::GetDayTotalsRequest request,
                                                            rpc::Context /*context*/) {
  Terminal& at = terminal(request.terminal_id());
  ops::DayNumber day = machinery_.today();
  if (!request.day().empty()) {
    const std::optional<ops::DayNumber> named = parse_day(request.day());
    if (!named) {
      throw rpc::Error(rpc::StatusCode::invalid_argument, "a day is written as 2026-11-23");
    }
    day = *named;
  }
  const DayTotals totals = at.totals_of(day);
  const Currency currency = machinery_.settings.currency;
  v1::GetDayTotalsResponse response;
  response.set_day(ops::day_text(day));
  response.set_withdrawals(totals.withdrawals);
  *response.mutable_withdrawn() = to_wire(totals.withdrawn, currency);
  response.set_deposits(totals.deposits);
  *response.mutable_deposited() = to_wire(totals.deposited, currency);
  response.set_declined(totals.declined);
  response.set_suspense(totals.suspense);
  *response.mutable_loaded() = to_wire(totals.loaded, currency);
  *response.mutable_unloaded() = to_wire(totals.unloaded, currency);
  co_return response;
}

void StaffService::add_difference_with_bank(const Terminal& at, Cents at_bank,
                                            v1::AuditResponse& response) const {
  const std::optional<std::string> difference =
      difference_with_bank(at.stock(), at_bank, machinery_.settings.currency);
  if (!difference) return;
  response.add_differences(*difference);
  const std::uint32_t left_out = add_what_fits(exceptions(at), response.mutable_differences());
  if (left_out == 0) return;
  response.add_differences("There are " + std::to_string(left_out) +
                           " more exceptions; the bank's operator has them, too.");
}

void StaffService::require_room() const {
  if (machinery_.disk.is_left()) return;
  throw rpc::Error(rpc::StatusCode::failed_precondition,
                   "the disk of the ATM's data is nearly full, and nothing was changed: make room "
                   "there, and ask again");
}

Task<v1::SetServiceResponse> StaffService::set_service(v1::SetServiceRequest request,
                                                       rpc::Context /*context*/) {
  Terminal& at = terminal(request.terminal_id());
  require_room();
  co_await at.set_service(request.in_service());
  v1::SetServiceResponse response;
  *response.mutable_terminal() = view(at);
  co_return response;
}

Task<v1::AcceptBankHistoryResponse> StaffService::accept_bank_history(
    v1::AcceptBankHistoryRequest request, rpc::Context /*context*/) {
  if (request.reason().empty()) {
    throw rpc::Error(rpc::StatusCode::invalid_argument, "a reason is needed, for the journal");
  }
  // A no, and not silence: the ATM has answered, and nothing was accepted.
  const rpc::Error silent(
      rpc::StatusCode::failed_precondition,
      "the bank does not answer, so its history was not compared with what this ATM saw: ask again "
      "when it does");
  const bool is_broken = machinery_.bank.history_is_broken();
  if (!is_broken && !machinery_.bank.has_compared()) throw silent;
  if (!is_broken) {
    throw rpc::Error(rpc::StatusCode::failed_precondition,
                     "the bank's history agrees with what this ATM saw: nothing to accept");
  }
  require_room();
  const bool accepted = co_await machinery_.bank.accept_history(request.reason());
  if (!accepted) throw silent;
  machinery_.log.info("staff accepted the bank's history", {{"reason", request.reason()}});
  // What is still to be told again goes on without whoever asked, also after a restart.
  const std::vector<std::string> left_out = co_await machinery_.bank.until_told_again();
  v1::AcceptBankHistoryResponse response;
  for (const std::string& terminal : left_out) response.add_terminals_left_out(terminal);
  response.set_items_sent_again(machinery_.bank.told_again());
  co_return response;
}

Task<v1::ListOpenItemsResponse> StaffService::list_open_items(v1::ListOpenItemsRequest request,
                                                              rpc::Context /*context*/) {
  Terminal& at = terminal(request.terminal_id());
  v1::ListOpenItemsResponse response;
  response.set_items_left_out(add_what_fits(open_items(at), response.mutable_items()));
  response.set_exceptions_left_out(add_what_fits(exceptions(at), response.mutable_exceptions()));
  co_return response;
}

v1::DeclinedAttempt StaffService::view(const Declined& declined) const {
  v1::DeclinedAttempt view;
  view.set_at_us(declined.at_us);
  view.set_kind(declined.kind);
  view.set_code(static_cast<v1::DeclineCode>(declined.code));
  view.set_terminal_id(declined.terminal);
  view.set_card(ops::mask_card(declined.card));
  if (declined.amount != Cents{0}) {
    *view.mutable_amount() = to_wire(declined.amount, machinery_.settings.currency);
  }
  view.set_message(declined.sentence);
  view.set_id(std::string(declined.id.view()));
  return view;
}

Task<v1::ListDeclinesResponse> StaffService::list_declines(v1::ListDeclinesRequest request,
                                                           rpc::Context /*context*/) {
  if (!request.terminal_id().empty()) terminal(request.terminal_id());
  if (request.page_size() > declines_page_size_max) {
    throw rpc::Error(rpc::StatusCode::invalid_argument, "a page has 200 entries at most");
  }
  const std::uint32_t size =
      request.page_size() == 0 ? declines_page_size_usual : request.page_size();
  const std::uint64_t from = place_of(request.page_token());
  v1::ListDeclinesResponse response;
  std::size_t bytes = 0;
  for (const Declined& declined : declines_.newest_first()) {
    const bool is_here =
        request.terminal_id().empty() || request.terminal_id() == declined.terminal;
    const bool is_meant =
        request.attempt_id().empty() || request.attempt_id() == declined.id.view();
    if (declined.number > from || !is_here || !is_meant) continue;
    v1::DeclinedAttempt entry = view(declined);
    constexpr std::size_t overhead = 8;  // Tag and length.
    bytes += entry.ByteSizeLong() + overhead;
    const bool is_full = static_cast<std::uint32_t>(response.declines_size()) == size;
    if (is_full || bytes > declines_page_bytes_max) {
      response.set_next_page_token(std::to_string(declined.number));
      break;
    }
    *response.add_declines() = std::move(entry);
  }
  co_return response;
}

Task<v1::SetFaultResponse> StaffService::set_fault(v1::SetFaultRequest request,
                                                   rpc::Context /*context*/) {
  Terminal& at = terminal(request.terminal_id());
  const auto kind = static_cast<std::size_t>(request.fault());
  if (kind == 0 || kind >= fault_kinds.size()) {
    throw rpc::Error(rpc::StatusCode::invalid_argument, "there is no such fault");
  }
  if (request.fault() == v1::FAULT_SLOW && request.delay_ms() == 0) {
    throw rpc::Error(rpc::StatusCode::invalid_argument, "say how slow with --delay-ms, as 3000");
  }
  const Fault fault{.kind = fault_kinds[kind],
                    .after_notes = request.after_notes(),
                    .delay = std::chrono::milliseconds(request.delay_ms())};
  require_room();
  if (request.device() == v1::DEVICE_DISPENSER) {
    co_await at.dispenser().set_fault(fault);
  } else if (request.device() == v1::DEVICE_ACCEPTOR) {
    co_await at.acceptor().set_fault(fault);
  } else {
    throw rpc::Error(rpc::StatusCode::invalid_argument, "there is no such device");
  }
  const bool is_dispenser = request.device() == v1::DEVICE_DISPENSER;
  machinery_.log.info("staff set a fault", {{"terminal", at.id()},
                                            {"device", is_dispenser ? "dispenser" : "acceptor"},
                                            {"fault", name(fault.kind)}});
  co_return v1::SetFaultResponse();
}

}  // namespace atm
