// Withdrawals: the state machine that pays out cash once (rules 13, 15, 16 and 18).
#pragma once

#include <chrono>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "atm/items.h"
#include "atm/machinery.h"
#include "atm/terminal.h"
#include "atm/v1/atm.pb.h"

namespace atm {

using WithdrawalItem = ItemPointer<Withdrawal>;

//   REQUESTED -> HELD -> DISPENSING -> DISPENSED -> SETTLED
//       |          |          |             `-----> VOIDED     nothing was presented
//       |          `----------+-> VOIDED                       given up before DISPENSING
//       `-> DECLINED          `-> SUSPENSE -> SETTLED, VOIDED  as the operator decides
//
// A journal that lost its end may have REQUESTED or HELD of what was paid: after a restart it is given
// up when the dispenser has said that it did nothing, and goes to SUSPENSE when it did something.
//
// pay() is the live path, with a customer; settle() does what is left to do from any state, for the
// live path, for the queue and after a restart alike, so that they cannot differ. Owned by the Atm;
// loop thread only.
//
// Invariant: a state is journalled before it is acted on, and the customer hears of cash only after
// what was presented is on the disk.
class Withdrawals {
 public:
  Withdrawals(Machinery& machinery, Items<Withdrawal>& items)
      : machinery_(machinery), items_(items) {}

  // A customer asks for an amount that the notes of `plan` make. The item is known at once, so that
  // a copy of the request finds it; its answer comes with item->answered.
  WithdrawalItem begin(Terminal& terminal, Withdrawal withdrawal, std::string token,
                       rpc::Context customer);
  // What the journal held open. The dispenser is asked what it did before this returns, if it answers;
  // everything else goes on in the queue (rule 16).
  Task<> recover(Terminal& terminal, Withdrawal withdrawal);

  // One in SUSPENSE had ended because the bank refused it, and now the bank has taken it: its operator
  // has still to decide.
  void go_on(Terminal& terminal, Withdrawal withdrawal);

  v1::WithdrawResponse first_answer(const Item<Withdrawal>& item) const;
  // What became of it by now, for Resolve.
  v1::ResolveResponse outcome(const Item<Withdrawal>& item) const;

 private:
  struct Customer {
    std::string token;
    rpc::Context context;
    std::chrono::nanoseconds hold_sent_at{0};
  };

  // The live path.
  Task<> serve(WithdrawalItem item, Customer customer);
  Task<> pay(WithdrawalItem item, Customer customer);
  Task<rpc::Reply<::bank::v1::HoldResponse>> hold(WithdrawalItem item, Customer customer);
  std::optional<v1::Decline> why_not_dispense(const Customer& customer) const;

  // What is left to do.
  Task<> settle(WithdrawalItem item);
  Task<> ask_dispenser(WithdrawalItem item);
  // Of what the journal has not begun to dispense.
  Task<> end_unpaid(WithdrawalItem item);
  // Once, of what the journal has not begun to dispense. False: it does not say.
  Task<bool> ask_whether_it_acted(WithdrawalItem item);
  Task<> capture(WithdrawalItem item);
  Task<> void_hold(WithdrawalItem item);
  Task<> suspend(WithdrawalItem item);
  Task<> await_decision(WithdrawalItem item);
  Task<> ask_dispenser_again(WithdrawalItem item);
  // Clauses, for the operator.
  std::string what_it_did(const Dispensed& told) const;
  std::string done_before(const Dispensed& told) const;
  std::string done_since(const Dispensed& told) const;

  // The transitions.
  void enter(const WithdrawalItem& item, WithdrawalState state) const;
  Task<> to_requested(WithdrawalItem item);
  Task<> to_declined(WithdrawalItem item, v1::Decline why);
  void to_held(const WithdrawalItem& item, const ::bank::v1::Receipt& receipt);
  Task<> to_dispensing(WithdrawalItem item);
  // Of a dispenser that was not asked the customer hears why.
  Task<> to_dispensed(WithdrawalItem item, Dispensed dispensed,
                      std::optional<v1::Decline> why_nothing = std::nullopt);
  Task<> to_suspense(WithdrawalItem item, std::string evidence);
  v1::WithdrawResponse suspense(const Withdrawal& withdrawal, std::string_view message) const;
  void remember_number(const WithdrawalItem& item, const ::bank::v1::Receipt& receipt);
  void to_settled(const WithdrawalItem& item, const ::bank::v1::Receipt& receipt);
  void to_voided(const WithdrawalItem& item, const ::bank::v1::Receipt& receipt);
  Task<> to_decided(WithdrawalItem item, Cents captured);
  // Its hold will be voided; the customer hears why.
  void give_up(const WithdrawalItem& item, v1::Decline why);
  void to_exception(const WithdrawalItem& item, const ::bank::v1::Refusal& refusal,
                    std::string_view more = {});
  // The bank has debited what was not paid by the journal: nobody is told any more that it was not.
  void to_debited_all_the_same(const WithdrawalItem& item, const ::bank::v1::Refusal& refusal);

  void answer(const WithdrawalItem& item, const v1::WithdrawResponse& response);
  void note(const WithdrawalItem& item, std::string detail = {});
  void log_reject(const Item<Withdrawal>& item) const;
  v1::Withdrawn withdrawn(const Withdrawal& withdrawal) const;

  Machinery& machinery_;
  Items<Withdrawal>& items_;
};

}  // namespace atm
