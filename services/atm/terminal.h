// Terminal: one ATM as a customer sees it, with its cash, its devices and its books (rule 23).
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "async/future.h"
#include "async/scope.h"
#include "atm/devices.h"
#include "atm/machinery.h"
#include "atm/records.h"
#include "atm/stock.h"
#include "atm/v1/staff.pb.h"

namespace atm {

class Terminal;
// Terminals by id.
using Terminals = std::map<std::string, std::unique_ptr<Terminal>>;

// The customer who stands before a terminal.
struct Session {
  std::string id;  // 16 random bytes.
  std::string peer;
  std::string card;
  std::string token;
  Currency currency;  // The account's.
  async::Instant last_used;
};

// Owned by the Atm; loop thread only. The machines change its books and take what changed into the
// entry of each transition.
//
// Invariant: at most one customer's change is under way (`is_busy`), and only while a session
// stands or that change outlives it.
class Terminal {
 public:
  Terminal(Machinery& machinery, std::string id, Dispenser& dispenser, Acceptor& acceptor);
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  const std::string& id() const { return id_; }
  Dispenser& dispenser() { return dispenser_; }
  Acceptor& acceptor() { return acceptor_; }
  Stock& stock() { return stock_; }
  const Stock& stock() const { return stock_; }
  // To be changed: the next entry takes them along.
  DayTotals& totals(ops::DayNumber day);
  DayTotals& today() { return totals(machinery_.today()); }
  // The same for reading.
  DayTotals totals_of(ops::DayNumber day) const;

  // The transition of `record`, with everything of this terminal's books that changed with it.
  template <Record T>
  Entry entry(const T& record, std::string detail = {}) {
    Entry entry = passing(record, std::move(detail));
    entry.add(record);
    return entry;
  }
  // The same of a state that another follows in the same turn: the record is written with that one.
  template <Record T>
  Entry passing(const T& record, std::string detail = {}) {
    Entry entry = books_entry();
    entry.event.id = record.id;
    entry.event.kind = T::kind;
    if constexpr (requires { record.state; }) entry.event.state = name(record.state);
    entry.event.detail = std::move(detail);
    return entry;
  }

  // Why nothing new is begun here, in a sentence; IN_SERVICE when it is.
  struct Service {
    v1::ServiceState state = v1::SERVICE_STATE_IN_SERVICE;
    std::string reason;
  };
  Service service() const;
  // No note has ever moved here, and the bank has not said yet whether it has cash inside.
  bool awaits_word_of_cash() const { return stock_.is_untouched() && why_no_bank(); }
  // Why this may be no terminal of ours, in a sentence: no note has ever moved here, and the bank
  // has cash inside, or has not said yet whether it has. Empty: it is ours.
  std::string unknown_cash() const;
  // To be in service again, staff have looked whether notes lie there.
  Task<> set_service(bool in_service);
  // Notes of that withdrawal may still lie where a customer takes them. Out of service until staff
  // have looked, or the dispenser has said what became of them. The next entry writes it down.
  void look_for_notes_of(const OperationId& id);
  void know_notes_of(const OperationId& id);
  void staff_have_looked();

  // What the dispenser was found to hold, and the acceptor's bin, after the start and before they
  // moved anything since. What differs from the books keeps the terminal out of service until staff
  // have looked, unless they have seen that before. Notes that are unknown may be there or not.
  void dispenser_was_counted(const Notes& found);
  void bin_was_counted(const Notes& found);
  // Both were counted and just what the journal has was there: it knows of all that they did before.
  bool journal_is_complete() const {
    const bool is_counted = is_counted_ && is_bin_counted_;
    return is_counted && in_dispenser_.notes.empty() && in_bin_.notes.empty();
  }
  // Staff took everything out.
  void was_emptied();

  // Begins a session, in place of an older one of the same card. Returns null if another customer stands
  // here, or this one's last change is still under way.
  Session* begin_session(std::string peer, std::string card, std::string token, Currency currency);
  bool is_free_for(std::string_view card) const;
  // The session of that id on that connection, and it has just been used; or nothing.
  Session* session(std::string_view id, std::string_view peer);
  bool has_session() const;
  void end_session() { session_.reset(); }
  // The customer whose connection that was has left.
  void end_session_of(std::string_view peer);

  bool is_busy() const { return !idle_.is_set(); }
  void set_busy(bool busy);
  // Set while no customer's change is under way.
  async::Event& idle() { return idle_; }
  // Staff's notes go in or out: until the devices have said what they did, nothing else begins.
  bool is_moving_notes() const { return moving_notes_; }
  void set_moving_notes(bool moving) { moving_notes_ = moving; }
  // What customers begin here runs here, whatever becomes of the customer (rule 25).
  async::TaskScope& work() { return work_; }

 private:
  // Of a bank that does not count now.
  std::optional<Service> why_no_bank() const;
  // What is beyond the books now, and why that keeps the terminal out of service.
  struct Surplus {
    Notes notes;
    std::string why;  // Empty: it does not.
  };
  Surplus surplus(const std::string& place, const Notes& expected, const Notes& found,
                  const Notes& seen) const;
  Entry books_entry();

  Machinery& machinery_;
  std::string id_;
  Dispenser& dispenser_;
  Acceptor& acceptor_;
  Stock stock_;
  std::map<ops::DayNumber, DayTotals> totals_;
  std::set<ops::DayNumber> totals_touched_;  // Since the last entry.
  TerminalRow row_;
  bool row_changed_ = false;
  std::optional<Session> session_;
  async::Event idle_;
  bool moving_notes_ = false;
  bool is_counted_ = false;  // Its dispenser, since the start.
  bool is_bin_counted_ = false;
  Surplus in_dispenser_;
  Surplus in_bin_;
  async::TaskScope work_;
};

}  // namespace atm
