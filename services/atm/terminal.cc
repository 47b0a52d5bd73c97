#include "atm/terminal.h"

#include <algorithm>
#include <array>
#include <utility>

#include <sodium.h>

#include "atm/audit.h"

namespace atm {

namespace {

bool same_secret(std::string_view a, std::string_view b) {
  return a.size() == b.size() && sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

// Yesterday's totals may still be asked for, and older ones are read from the journal.
constexpr std::size_t days_kept_max = 3;

}  // namespace

Terminal::Terminal(Machinery& machinery, std::string id, Dispenser& dispenser, Acceptor& acceptor)
    : machinery_(machinery),
      id_(std::move(id)),
      dispenser_(dispenser),
      acceptor_(acceptor),
      stock_(id_),
      row_{.terminal = id_},
      idle_(machinery.loop),
      work_(machinery.loop) {
  idle_.set();
  JournalFile& file = machinery_.journal.file();
  // Every row is read, and so verified: one whose terminal was changed would not be missed.
  for (const StockRow& row : file.read<StockRow>()) {
    if (row.terminal == id_) stock_.restore(row);
  }
  for (const TerminalRow& row : file.read<TerminalRow>()) {
    if (row.terminal == id_) row_ = row;
  }
}

DayTotals& Terminal::totals(ops::DayNumber day) {
  totals_touched_.insert(day);
  const auto found = totals_.find(day);
  if (found != totals_.end()) return found->second;
  const auto is_settled = [&](const auto& old) { return !totals_touched_.contains(old.first); };
  if (totals_.size() >= days_kept_max) std::erase_if(totals_, is_settled);
  return totals_.emplace(day, totals_of(day)).first->second;
}

DayTotals Terminal::totals_of(ops::DayNumber day) const {
  const auto found = totals_.find(day);
  if (found != totals_.end()) return found->second;
  const std::vector<DayTotals> stored =
      machinery_.journal.file().read<DayTotals>("terminal = ? AND day = ?", {id_, to_value(day)});
  if (!stored.empty()) return stored.front();
  return {.terminal = id_, .day = day};
}

Entry Terminal::books_entry() {
  Entry entry;
  entry.event.at_us = machinery_.now_us();
  entry.event.terminal = id_;
  entry.add(stock_.take_changes());
  for (const ops::DayNumber day : std::exchange(totals_touched_, {})) entry.add(totals_.at(day));
  if (std::exchange(row_changed_, false)) entry.add(row_);
  return entry;
}

Terminal::Service Terminal::service() const {
  const Standing& standing = machinery_.bank.standing(id_);
  if (row_.out_by_staff) {
    return {v1::SERVICE_STATE_OUT_BY_STAFF, "staff took it out of service"};
  }
  if (moving_notes_) return {v1::SERVICE_STATE_OUT_BY_STAFF, "staff are moving notes"};
  if (const std::optional<Service> why = why_no_bank()) return *why;
  if (machinery_.bank.is_to_tell_again(id_)) {
    return {v1::SERVICE_STATE_OUT_TELLING_BANK_AGAIN,
            "the bank was away, and is told again what it may lack: that ends by itself"};
  }
  if (!standing.in_service) return {v1::SERVICE_STATE_OUT_BY_OPERATOR, standing.reason};
  if (const std::optional<std::string> why = dispenser_.out_of_order()) {
    return {v1::SERVICE_STATE_OUT_DEVICE, *why};
  }
  if (row_.look_for.is_set()) {
    return {v1::SERVICE_STATE_OUT_DEVICE,
            "notes of withdrawal " + row_.look_for.text() +
                " may still lie in the dispenser's slot: staff must look there, and then put the "
                "terminal into service"};
  }
  if (!is_counted_) {
    return {v1::SERVICE_STATE_OUT_DEVICE,
            "the dispenser has not said yet, since the ATM's start, which notes it holds"};
  }
  for (const Surplus* surplus : {&in_dispenser_, &in_bin_}) {
    if (!surplus->why.empty()) return {v1::SERVICE_STATE_OUT_DEVICE, surplus->why};
  }
  if (const std::string why = unknown_cash(); !why.empty()) {
    return {v1::SERVICE_STATE_OUT_UNKNOWN_CASH, why};
  }
  if (!machinery_.disk.is_left()) {
    return {v1::SERVICE_STATE_OUT_DISK,
            "the disk of the ATM's data is nearly full: make room there, and it serves again by "
            "itself"};
  }
  return {v1::SERVICE_STATE_IN_SERVICE, ""};
}

std::optional<Terminal::Service> Terminal::why_no_bank() const {
  if (machinery_.bank.history_is_broken()) {
    return Service{v1::SERVICE_STATE_OUT_BANK_HISTORY,
                   "the bank's history went back, or another bank answers; once that is as it "
                   "should be: bankctl atm accept-bank-history"};
  }
  const Standing& standing = machinery_.bank.standing(id_);
  if (!standing.signed_on) return Service{v1::SERVICE_STATE_OUT_NO_BANK, standing.reason};
  return std::nullopt;
}

std::string Terminal::unknown_cash() const {
  if (!stock_.is_untouched()) return "";
  if (const std::optional<Service> why = why_no_bank()) {
    return "by this ATM's journal no note has ever moved in " + id_ +
           ", and the bank has not said yet whether it has cash inside: " + why->reason;
  }
  const Standing& standing = machinery_.bank.standing(id_);
  if (standing.cash == Cents{0}) return "";
  return "the bank has " + ledger::to_text({standing.cash, machinery_.settings.currency}) +
         " inside " + id_ +
         ", and by this ATM's journal no note has ever moved there: another ATM serves " + id_ +
         ", or its journal was lost; empty it with bankctl atm unload, or see in docs/operating.md "
         "how an ATM is replaced";
}

Task<> Terminal::set_service(bool in_service) {
  row_.out_by_staff = !in_service;
  row_changed_ = true;
  if (in_service) staff_have_looked();
  Entry entry = books_entry();
  entry.event.kind = "service";
  entry.event.state = in_service ? "IN_SERVICE" : "OUT_BY_STAFF";
  co_await machinery_.journal.commit(std::move(entry));
  const char* const done = in_service ? "staff have looked, and put the terminal into service"
                                      : "staff took the terminal out of service";
  machinery_.log.info(done, {{"terminal", id_}});
}

void Terminal::look_for_notes_of(const OperationId& id) {
  row_.look_for = id;
  row_changed_ = true;
}

void Terminal::know_notes_of(const OperationId& id) {
  if (row_.look_for != id) return;
  row_.look_for = OperationId();
  row_changed_ = true;
}

void Terminal::staff_have_looked() {
  row_.look_for = OperationId();
  row_changed_ = true;
  if (!std::exchange(in_dispenser_.why, {}).empty()) row_.dispenser_surplus = in_dispenser_.notes;
  if (!std::exchange(in_bin_.why, {}).empty()) row_.bin_surplus = in_bin_.notes;
}

void Terminal::was_emptied() {
  staff_have_looked();
  row_.dispenser_surplus = {};
  row_.bin_surplus = {};
}

// Cassettes and reject bin together: what the operator decided of unknown notes says nothing of where
// in the dispenser they are.
void Terminal::dispenser_was_counted(const Notes& found) {
  is_counted_ = true;
  const Notes expected = stock_.notes(Pot::cassette) + stock_.notes(Pot::rejected);
  in_dispenser_ = surplus("dispenser", expected, found, row_.dispenser_surplus);
}

void Terminal::bin_was_counted(const Notes& found) {
  is_bin_counted_ = true;
  in_bin_ = surplus("deposit bin", stock_.notes(Pot::deposit_bin), found, row_.bin_surplus);
}

Terminal::Surplus Terminal::surplus(const std::string& place, const Notes& expected,
                                    const Notes& found, const Notes& seen) const {
  Surplus surplus{.notes = found - expected, .why = {}};
  const Notes unknown = stock_.notes(Pot::unknown);
  const auto is_explained = [&](const Notes::Entry& more) {
    return more.count >= 0 && more.count <= unknown.of(more.denomination);
  };
  if (std::ranges::all_of(surplus.notes, is_explained)) return surplus;
  if (std::ranges::all_of(surplus.notes - seen, is_explained)) return surplus;
  surplus.why =
      "its notes are not where the journal has them, as when an old journal was restored, or the "
      "operator decided otherwise of unknown notes than they went: ";
  for (std::string& each :
       differences_found(place, expected, found, machinery_.settings.currency)) {
    each.pop_back();
    each.front() = 't';
    surplus.why += each + "; ";
  }
  surplus.why += "staff must look, and then empty the terminal or put it into service";
  return surplus;
}

bool Terminal::has_session() const {
  return session_ &&
         machinery_.loop.now() - session_->last_used < machinery_.settings.session_idle_max;
}

bool Terminal::is_free_for(std::string_view card) const {
  if (is_busy()) return false;
  return !has_session() || session_->card == card;
}

void Terminal::end_session_of(std::string_view peer) {
  if (session_ && session_->peer == peer) session_.reset();
}

void Terminal::set_busy(bool busy) {
  if (busy) {
    idle_.clear();
  } else {
    idle_.set();
  }
}

Session* Terminal::begin_session(std::string peer, std::string card, std::string token,
                                 Currency currency) {
  if (!is_free_for(card)) return nullptr;
  std::array<std::byte, 16> id{};
  machinery_.random.fill(id);
  session_ = Session{.id = std::string(reinterpret_cast<const char*>(id.data()), id.size()),
                     .peer = std::move(peer),
                     .card = std::move(card),
                     .token = std::move(token),
                     .currency = currency,
                     .last_used = machinery_.loop.now()};
  return &*session_;
}

Session* Terminal::session(std::string_view id, std::string_view peer) {
  if (!has_session() || !same_secret(session_->id, id) || session_->peer != peer) return nullptr;
  session_->last_used = machinery_.loop.now();
  return &*session_;
}

}  // namespace atm
