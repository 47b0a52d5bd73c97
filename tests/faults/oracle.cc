// The oracle: what must be true when a run is over, whatever happened in it. It believes the physical world, what people were told,
// and the two journals as a power cut left them.
#include <algorithm>
#include <optional>
#include <variant>

#include "atm/journal_file.h"
#include "ledger/codec.h"
#include "ledger/verify.h"
#include "serializability.h"
#include "simulation.h"

namespace sim {
namespace {

using ledger::Cents;
using ledger::Record;
using ledger::RefusalCode;
using Broken = std::optional<std::string>;

std::vector<Record> records_of(const std::string& bank_data) {
  ledger::Database database(bank_data, ledger::Database::Access::at_rest);
  ledger::Statement read = database.prepare("SELECT records FROM journal ORDER BY seq");
  const ledger::Rows rows(read);
  std::vector<Record> records;
  while (read.step()) {
    std::string_view bytes = read.blob(0);
    while (!bytes.empty()) {
      std::optional<Record> record = ledger::decode(bytes);
      async::check(record.has_value(), "a verified journal can be read");
      records.push_back(*std::move(record));
    }
  }
  return records;
}

class Oracle {
 public:
  Oracle(const Evidence& evidence, Tally& tally) : evidence_(evidence), tally_(tally) {}

  Broken judge() {
    try {
      ledger::verify(evidence_.bank_data);
      records_ = records_of(evidence_.bank_data);
      atm_journal_.emplace(evidence_.atm_data);
    } catch (const std::exception& error) {
      return std::string("what a power cut left is not sound: ") + error.what();
    }
    tally_.records = records_.size();
    tally_.observed = evidence_.history.size();
    if (Broken broken = one_effect_for_each_id()) return broken;
    if (Broken broken = find_disorder(evidence_.history, records_)) return broken;
    read_atm_journal();
    if (Broken broken = atm_ended_everything()) return broken;
    for (const auto& errand : evidence_.errands) {
      if (Broken broken = judge_errand(*errand)) return broken;
    }
    if (Broken broken = bank_ended_every_hold()) return broken;
    if (Broken broken = staff_got_what_was_inside()) return broken;
    if (Broken broken = nothing_unasked_came_out()) return broken;
    for (const auto& [name, hardware] : evidence_.terminals) {
      if (Broken broken = cash_is_conserved(name, *hardware)) return broken;
    }
    return std::nullopt;
  }

 private:
  Broken one_effect_for_each_id() {
    for (const Record& record : records_) {
      if (!record.operation.id.is_set()) continue;
      const Record*& known = by_id_[record.operation.id];
      if (known != nullptr) {
        return fmt::format("id {} is in the bank's journal twice: records {} and {}",
                           record.operation.id.text(), known->ledger_seq, record.ledger_seq);
      }
      known = &record;
    }
    return std::nullopt;
  }

  void read_atm_journal() {
    for (atm::Withdrawal& withdrawal : atm_journal_->read<atm::Withdrawal>()) {
      withdrawals_[withdrawal.id] = std::move(withdrawal);
    }
    for (atm::Deposit& deposit : atm_journal_->read<atm::Deposit>()) {
      deposits_[deposit.id] = std::move(deposit);
    }
    for (const Record& record : records_) {
      if (!record.outcome.has_value()) continue;
      if (const auto* capture = std::get_if<ledger::Capture>(&record.operation.change)) {
        captured_[capture->hold] += capture->amount.value;
      }
      const auto* const decision = std::get_if<ledger::ResolveException>(&record.operation.change);
      if (decision == nullptr || !decision->paid) continue;
      const Record& raised = records_[decision->exception_seq - 1];
      if (const auto* suspend = std::get_if<ledger::Suspend>(&raised.operation.change)) {
        captured_[suspend->hold] += decision->paid->value;
      }
    }
  }

  Broken atm_ended_everything() {
    for (const atm::BankMemory& memory : atm_journal_->read<atm::BankMemory>()) {
      if (memory.history_broken) return "the ATM found that the bank's history went back";
    }
    for (const auto& [id, withdrawal] : withdrawals_) {
      if (!withdrawal.exception.empty() && !evidence_.restored_at) {
        return fmt::format("withdrawal {} ended as an exception: {}", id.text(),
                           withdrawal.exception);
      }
      if (withdrawal.is_open()) return fmt::format("withdrawal {} has not ended", id.text());
    }
    for (const auto& [id, deposit] : deposits_) {
      const bool was_refused = is_listed(deposit.post_id) || is_listed(deposit.second_post_id);
      if (!deposit.exception.empty() && !evidence_.restored_at && !was_refused) {
        return fmt::format("deposit {} ended as an exception: {}", id.text(), deposit.exception);
      }
      if (deposit.is_open()) return fmt::format("deposit {} has not ended", id.text());
    }
    for (const atm::Movement& movement : atm_journal_->read<atm::Movement>()) {
      if (!movement.exception.empty()) {
        return fmt::format("movement {} ended as an exception: {}", movement.id.text(),
                           movement.exception);
      }
      if (movement.is_open()) return fmt::format("movement {} has not ended", movement.id.text());
    }
    return std::nullopt;
  }

  static bool is_ours(const std::string& terminal) { return terminal.starts_with("atm-"); }

  // Every hold at our terminals was journalled by the ATM before, and was ended by it or by the operator; and of what may not be
  // refused, nothing was.
  Broken bank_ended_every_hold() const {
    std::map<OperationId, const Record*> open;
    for (const Record& record : records_) {
      const ledger::Change& change = record.operation.change;
      const bool is_yes = record.outcome.has_value();
      if (const auto* hold = std::get_if<ledger::Hold>(&change)) {
        if (is_yes && is_ours(hold->terminal)) open[record.operation.id] = &record;
      } else if (const auto* capture = std::get_if<ledger::Capture>(&change)) {
        if (is_yes) open.erase(capture->hold);
        if (!is_yes && is_ours(capture->terminal) && !is_of_lost_hold(record)) {
          return fmt::format("the bank refused the capture at {}", record.ledger_seq);
        }
      } else if (const auto* release = std::get_if<ledger::Void>(&change)) {
        if (is_yes) open.erase(release->hold);
      } else if (const auto* decision = std::get_if<ledger::ResolveException>(&change)) {
        const Record& raised = records_[decision->exception_seq - 1];
        const auto* const suspend = std::get_if<ledger::Suspend>(&raised.operation.change);
        if (is_yes && suspend != nullptr) open.erase(suspend->hold);
      }
    }
    if (!open.empty()) {
      return fmt::format("the hold at {} was never ended", open.begin()->second->ledger_seq);
    }
    return std::nullopt;
  }

  // After an old backup: the hold was made in the history that is no more.
  bool is_of_lost_hold(const Record& record) const {
    return evidence_.restored_at && record.outcome.error().code == RefusalCode::hold_not_found;
  }

  // After an old backup, or when the account was closed: the bank's operator finds it in the list of exceptions.
  bool is_listed(const OperationId& id) const {
    const auto found = by_id_.find(id);
    if (found == by_id_.end() || found->second->outcome.has_value()) return false;
    return evidence_.restored_at ||
           found->second->outcome.error().code == RefusalCode::account_closed;
  }

  // Whether what was told of it may have been lost with the bank's history. What is told of it at the end may not.
  bool is_of_lost_history(const Errand& errand) const {
    return evidence_.restored_at && errand.asked_first <= *evidence_.restored_at;
  }

  bool was_accepted(const OperationId& id) const {
    const auto found = by_id_.find(id);
    return found != by_id_.end() && found->second->outcome.has_value() &&
           !std::holds_alternative<ledger::Resolve>(found->second->operation.change);
  }

  Broken judge_errand(const Errand& errand) {
    if (errand.terminal.empty()) return std::nullopt;
    switch (errand.kind) {
      case Errand::Kind::withdrawal:
        return judge_withdrawal(errand);
      case Errand::Kind::deposit:
        return judge_deposit(errand);
      case Errand::Kind::transfer:
        return judge_transfer(errand);
      case Errand::Kind::change_of_pin:
        return judge_change_of_pin(errand);
    }
    return std::nullopt;
  }

  // Here there is no other ATM at which it may have been begun, and no journal is lost: the one that was asked can know.
  static Broken was_not_told(std::string_view what, const Errand& errand) {
    const bool is_unknown = std::ranges::any_of(told_of(errand), [](const Errand::Told& told) {
      return told.is == Errand::Told::Is::cannot_know;
    });
    if (errand.at_the_end && !is_unknown) return std::nullopt;
    return fmt::format(
        "{} {}: {} what became of it", what, errand.id.text(),
        is_unknown ? "the ATM said that it cannot know" : "nobody could say at the end");
  }

  static std::vector<Errand::Told> told_of(const Errand& errand, bool only_at_the_end = false) {
    std::vector<Errand::Told> all;
    if (!only_at_the_end) all = errand.told;
    if (errand.at_the_end) all.push_back(*errand.at_the_end);
    return all;
  }

  // What was told, against the amount that it really was; 0: it was not done.
  static Broken judge_told(const Errand& errand, std::string_view what, std::int64_t really,
                           bool only_at_the_end = false) {
    if (Broken broken = was_not_told(what, errand)) return broken;
    for (const Errand::Told& told : told_of(errand, only_at_the_end)) {
      if (told.is == Errand::Told::Is::suspense) continue;
      const std::int64_t said = told.is == Errand::Told::Is::done ? told.amount : 0;
      if (said == really) continue;
      return fmt::format("{} {}: the customer was told {} ({}), and it was {}", what,
                         errand.id.text(), said, told.text, really);
    }
    return std::nullopt;
  }

  Broken judge_withdrawal(const Errand& errand) {
    std::int64_t presented = 0;
    for (const auto& [name, hardware] : evidence_.terminals) {
      presented += hardware->dispenser.presented_for(errand.id);
    }
    std::int64_t debited = 0;
    const auto found = withdrawals_.find(errand.id);
    if (found != withdrawals_.end()) {
      const auto captured = captured_.find(found->second.hold_id);
      if (captured != captured_.end()) debited = captured->second;
      if (found->second.state == atm::WithdrawalState::suspense) ++tally_.suspended;
    }
    if (presented != debited) {
      const bool is_known =
          found != withdrawals_.end() &&
          (is_listed(found->second.capture_id) || is_listed(found->second.suspend_id) ||
           is_listed(found->second.late_suspend_id));
      if (is_known) undebited_[found->second.terminal] += presented - debited;
      if (!is_known)
        return fmt::format("withdrawal {}: {} came out and {} was debited", errand.id.text(),
                           presented, debited);
    }
    (presented > 0 ? tally_.paid : tally_.declined) += 1;
    for (const Errand::Told& told : errand.told) {
      if (told.is == Errand::Told::Is::suspense) {
        ++tally_.suspended;
        break;
      }
    }
    return judge_told(errand, "withdrawal", presented);
  }

  Broken judge_deposit(const Errand& errand) {
    std::int64_t kept = 0;
    for (const auto& [name, hardware] : evidence_.terminals) {
      const auto act = hardware->acceptor.acts.find(errand.id);
      if (act == hardware->acceptor.acts.end()) continue;
      if (act->second.place == atm::Place::escrow) {
        return fmt::format("deposit {}: its notes still lie in the escrow", errand.id.text());
      }
      if (act->second.place == atm::Place::kept) kept += act->second.notes.amount().value;
    }
    std::int64_t credited = 0;
    const auto found = deposits_.find(errand.id);
    if (found != deposits_.end()) {
      const atm::Deposit& deposit = found->second;
      const std::int64_t amount = deposit.counted.amount().value;
      if (was_accepted(deposit.post_id)) credited += amount;
      if (deposit.second_post_id != deposit.post_id && was_accepted(deposit.second_post_id)) {
        credited += amount;
      }
    }
    if (kept != credited) {
      const bool is_known = found != deposits_.end() && (is_listed(found->second.post_id) ||
                                                         is_listed(found->second.second_post_id));
      if (is_known) undebited_[found->second.terminal] += credited - kept;
      if (!is_known)
        return fmt::format("deposit {}: {} was kept and {} was credited", errand.id.text(), kept,
                           credited);
    }
    if (kept > 0) ++tally_.deposits;
    return judge_told(errand, "deposit", kept);
  }

  Broken judge_change_of_pin(const Errand& errand) {
    const bool was_changed = was_accepted(errand.id);
    if (was_changed) ++tally_.changes_of_pin;
    if (Broken broken = was_not_told("change of PIN", errand)) return broken;
    for (const Errand::Told& told : told_of(errand, is_of_lost_history(errand))) {
      if ((told.is == Errand::Told::Is::done) == was_changed) continue;
      return fmt::format("change of PIN {}: the customer was told {}, and it was {}",
                         errand.id.text(), told.text, was_changed ? "changed" : "not changed");
    }
    return std::nullopt;
  }

  Broken judge_transfer(const Errand& errand) {
    const std::int64_t moved = was_accepted(errand.id) ? errand.amount : 0;
    if (moved > 0) ++tally_.transfers;
    return judge_told(errand, "transfer", moved, is_of_lost_history(errand));
  }

  // Every act of a dispenser was for a customer who had asked.
  Broken nothing_unasked_came_out() const {
    for (const auto& [name, hardware] : evidence_.terminals) {
      for (const auto& [id, act] : hardware->dispenser.acts) {
        const auto asked = std::ranges::find_if(
            evidence_.errands, [&wanted = id](const auto& errand) { return errand->id == wanted; });
        if (asked == evidence_.errands.end()) {
          return fmt::format("the dispenser acted on {}, which nobody asked for", id.text());
        }
      }
    }
    return std::nullopt;
  }

  // What staff were told that they took out of a terminal is what they took.
  Broken staff_got_what_was_inside() {
    for (const auto& emptying : evidence_.emptyings) {
      const Hardware& hardware = *evidence_.terminals.at(emptying->terminal);
      std::int64_t taken = 0;
      bool was_emptied = false;
      for (const auto* acts : {&hardware.dispenser.staff_acts, &hardware.acceptor.staff_acts}) {
        const auto act = acts->find(emptying->id);
        if (act == acts->end()) continue;
        taken += act->second.amount().value;
        was_emptied = true;
      }
      if (was_emptied) ++tally_.emptyings;
      if (taken == emptying->told.value_or(0)) continue;
      return fmt::format("{} was emptied of {}, and staff were told {}", emptying->terminal, taken,
                         emptying->told.value_or(0));
    }
    return std::nullopt;
  }

  // Rule 20, against what is really inside.
  Broken cash_is_conserved(const std::string& terminal, const Hardware& hardware) const {
    const auto audit = evidence_.audits.find(terminal);
    const auto count = evidence_.counts.find(terminal);
    if (audit == evidence_.audits.end() || count == evidence_.counts.end()) {
      return terminal + " was not audited";
    }
    if (!is_compared(audit->second)) {
      return fmt::format("{}'s audit was not compared with the bank at the end: {}", terminal,
                         audit->second.not_compared());
    }
    const auto found = undebited_.find(terminal);
    const bool has_exceptions = found != undebited_.end();
    const std::int64_t undebited = has_exceptions ? found->second : 0;
    if (audit->second.differences_size() > 0 && !has_exceptions) {
      return terminal + "'s audit: " + audit->second.differences(0);
    }
    if (count->second.differences_size() > 0) {
      return terminal + "'s count: " + count->second.differences(0);
    }
    std::int64_t inside = hardware.dispenser.rejected.amount().value;
    for (const atm::Cassette& each : hardware.dispenser.cassettes) {
      inside += atm::worth(each.denomination, each.count).value;
    }
    inside += hardware.acceptor.bin.amount().value;
    const std::int64_t in_and_out =
        (hardware.dispenser.loaded + hardware.acceptor.kept - hardware.dispenser.presented -
         hardware.dispenser.unloaded - hardware.acceptor.unloaded)
            .amount()
            .value;
    if (inside != in_and_out) {
      return fmt::format("{}: {} is inside, and what went in and out leaves {}", terminal, inside,
                         in_and_out);
    }
    const std::int64_t at_bank = audit->second.at_bank().minor_units();
    if (inside + undebited != at_bank) {
      return fmt::format("{}: {} is inside, and the bank has {} there", terminal, inside, at_bank);
    }
    return std::nullopt;
  }

  const Evidence& evidence_;
  Tally& tally_;
  std::vector<Record> records_;
  std::optional<atm::JournalFile> atm_journal_;
  std::map<OperationId, const Record*> by_id_;
  std::map<OperationId, std::int64_t> captured_;  // By hold.
  std::map<OperationId, atm::Withdrawal> withdrawals_;
  std::map<OperationId, atm::Deposit> deposits_;
  // What came out and was not debited, less what was kept and not credited, by terminal: the bank lists it as exceptions. Their sum
  // may be 0 while the audit differs, since the notes of a suspension that the bank has lost count as inside.
  std::map<std::string, std::int64_t> undebited_;
};

}  // namespace

std::optional<std::string> find_broken_promise(const Evidence& evidence, Tally& tally) {
  Oracle oracle(evidence, tally);
  return oracle.judge();
}

}  // namespace sim
