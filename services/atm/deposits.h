// Deposits: the state machine that takes a customer's notes and credits them once (rule 19).
#pragma once

#include <map>
#include <string>

#include "atm/items.h"
#include "atm/machinery.h"
#include "atm/terminal.h"
#include "atm/v1/atm.pb.h"

namespace atm {

using DepositItem = ItemPointer<Deposit>;

//   COUNTED (in escrow) -> POSTING -> CREDITED -> KEPT
//        `------------------`-> RETURNED
//                           `-> SUSPENSE -> RETURNED, POSTING    as the acceptor tells later
//
// A journal that lost its end may have COUNTED of what was credited: after a restart it is settled as
// POSTING is.
//
// take() is the live path; settle() does what is left to do from any state. A posting that stays
// unanswered until the customer's deadline keeps the notes and goes on in the queue. A refusal then is
// an exception; where the notes are is asked until the acceptor has said it, whatever the bank says.
// When it has said that it gave them back, the bank is sent no posting any more, and asked what became
// of those before. Owned by the Atm; loop thread only.
//
// Invariant: notes are given back only when the bank has said, or can only say, that it did not
// credit them, and never once the customer was told that they are taken; they are in the stock
// exactly while `kept`.
class Deposits {
 public:
  Deposits(Machinery& machinery, Items<Deposit>& items) : machinery_(machinery), items_(items) {}

  DepositItem begin(Terminal& terminal, Deposit deposit, rpc::Context customer);
  // What the journal held open.
  void recover(Terminal& terminal, Deposit deposit);
  // Notes in the escrow that no deposit of this terminal knows: the ATM stopped before it had
  // counted them, and gives them back as soon as the acceptor answers. Their id may be in use at
  // another terminal by then.
  Task<> recover_escrow(Terminal& terminal);

  v1::DepositResponse first_answer(const Item<Deposit>& item) const;
  v1::ResolveResponse outcome(const Item<Deposit>& item) const;

 private:
  enum class Posted : std::uint8_t { yes, no, unknown };

  // The live path.
  Task<> serve(DepositItem item, rpc::Context customer);
  Task<> take(DepositItem item, rpc::Context customer);
  Task<Posted> post_once(DepositItem item, rpc::Context customer);
  Task<Posted> resolve_once(DepositItem item, rpc::Context until);

  // Whether recover_escrow may have told this terminal's acceptor to give notes of this id back.
  bool is_on_its_way_out(const Item<Deposit>& item) const;
  bool is_of(Terminal& terminal, const OperationId& id);

  // What is left to do.
  Task<> settle(DepositItem item);
  Task<> settle_posting(DepositItem item);
  Task<> post(DepositItem item);
  Task<> keep(DepositItem item);
  // Asks the acceptor to keep the notes until it has said where they are: beside the asking of the
  // bank, and when the bank has refused. False: it gave them back.
  Task<bool> confirm_kept(DepositItem item);
  Task<> give_back(DepositItem item);
  Task<> ask_acceptor(DepositItem item);

  // The transitions.
  Task<> to_counted(DepositItem item, Notes counted);
  Task<> to_posting(DepositItem item);
  void to_credited(const DepositItem& item, const ::bank::v1::Receipt& receipt);
  Task<> to_kept(DepositItem item);
  Task<> to_kept_uncredited(DepositItem item);
  // The same, of an acceptor that has answered already.
  Task<> to_taken(DepositItem item, Told<Accepted> told);
  Task<> note_kept(DepositItem item);
  Task<> to_returned(DepositItem item);
  Task<> to_suspense(DepositItem item, std::string evidence);
  void to_exception(const DepositItem& item, std::string why);

  v1::Deposited deposited(const Deposit& deposit) const;
  // The outcome of one whose customer was told that it is taken, and that is not credited.
  void taken(const Deposit& deposit, v1::ResolveResponse& response) const;
  // What the customer is told, if that is not settled yet. Whoever waits hears it when it is on the
  // disk, and when the terminal is free for what they ask next.
  void answer(const DepositItem& item, const v1::DepositResponse& response);
  void answer_deposited(const DepositItem& item);
  void answer_returned(const DepositItem& item);
  void answer_suspense(const DepositItem& item);
  // Whether the customer was told that the notes are taken.
  bool is_promised(const DepositItem& item) const;
  void count_as_kept(const DepositItem& item);
  void note(const DepositItem& item, std::string detail = {});

  Machinery& machinery_;
  Items<Deposit>& items_;
  // By terminal, what recover_escrow gives back.
  std::map<std::string, OperationId> on_its_way_out_;
};

}  // namespace atm
