// Town: who uses the pair. Customers at the terminals, staff behind them, and what each was told.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "async/scope.h"
#include "atm/v1/atm.pb.h"
#include "atm/v1/staff.pb.h"
#include "devices.h"
#include "rpc/client.h"
#include "world.h"

namespace sim {

namespace words = ::atm::v1;

// What a customer asked for under one id, and everything that was ever told about it.
struct Errand {
  enum class Kind : std::uint8_t { withdrawal, deposit, transfer, change_of_pin };
  Kind kind = Kind::withdrawal;
  OperationId id;
  std::string account;
  std::string target;  // Of a transfer.
  std::string terminal;
  std::int64_t amount = 0;
  Notes notes;          // Of a deposit.
  std::string new_pin;  // Of a change of PIN.
  Instant asked_first{};

  // What was told for sure, each time and at the very end.
  struct Told {
    enum class Is : std::uint8_t { done, declined, suspense, cannot_know };
    Is is = Is::declined;
    std::int64_t amount = 0;
    bool is_credited = true;  // Of a deposit.
    std::string text;
  };
  std::vector<Told> told;
  std::optional<Told> at_the_end;
};

// Whether it compared what is inside with what the bank has there.
inline bool is_compared(const words::AuditResponse& audit) {
  return audit.has_at_bank() && audit.not_compared().empty();
}

// A customer's card as the customer knows it. The bank replaces it, and its PIN is changed: whoever does it writes it down here.
struct Card {
  std::string number;
  std::string account;
  std::string pin;
  std::string perhaps_pin{};  // Not empty: the PIN is one of the two.
};
using Wallet = std::vector<Card>;

// What staff were told of the cash that they took out.
struct Emptying {
  OperationId id;
  std::string terminal;
  std::optional<std::int64_t> told{};
};

struct TownPlan {
  std::vector<std::string> terminals;
  std::vector<std::string> accounts;
  int errands_per_customer = 5;
  int emptyings_per_terminal = 0;
  Duration pause_max = 6s;
  Duration patience_min = 1s;
  Duration patience_max = 12s;
};

// The people. Their own machine never fails: what they were told, they know. Owned by the simulation; in its world.
class Town {
 public:
  Town(World& world, TownPlan plan, Wallet& cards);

  // Staff fill the cassettes, and go on until it is done.
  Task<> load_cash(std::string terminal);
  // They take everything out and fill it again, or give up when the ATM says no for too long.
  Task<> empty(std::string terminal);
  // Every customer runs their errands, and staff empty the terminals and fill them again.
  void go();
  // An old backup is in the bank: staff agree to go on with it as soon as the ATM asks, for ever.
  void watch_history();
  // False: they have just agreed, or the ATM does not answer.
  Task<bool> has_nothing_to_agree_to();
  void close() { for_ever_.cancel(); }
  bool is_quiet() const { return tasks_.size() == 0; }
  // Asks what became of everything, once the faults are over.
  Task<> ask_about_everything();
  // Both return nullopt if the ATM is not reached.
  Task<std::optional<words::AuditResponse>> audit(std::string terminal);
  Task<std::optional<words::CountResponse>> count(std::string terminal);

  void spawn(Task<> task) { tasks_.spawn(std::move(task)); }
  NodeLoop& loop() { return loop_; }
  const std::vector<std::unique_ptr<Errand>>& errands() const { return errands_; }
  const std::vector<std::unique_ptr<Emptying>>& emptyings() const { return emptyings_; }

 private:
  struct Session;
  Task<> live(std::size_t card);
  Task<> look_after(std::string terminal);
  Task<> load(rpc::Client* client, std::string terminal, std::uint32_t position,
              std::int64_t denomination, std::uint32_t count);
  Task<> agree_to_history();
  Task<> leave(Session* session);
  Task<bool> insert_card(Session* session);
  Task<> run(Session* session, Errand* errand);
  Task<bool> ask(Session* session, Errand* errand);
  Task<bool> resolve(rpc::Client* client, Errand* errand, bool at_the_end);
  Errand* think_of_an_errand(const Session& session);
  void tell(Errand* errand, Errand::Told told);
  void learn_pin(Card& card, const Errand& errand, const Errand::Told& told);
  OperationId make_id();
  std::unique_ptr<rpc::Client> make_client();

  World& world_;
  TownPlan plan_;
  Wallet& cards_;
  NodeLoop loop_;
  std::vector<std::unique_ptr<Errand>> errands_;
  std::vector<std::unique_ptr<Emptying>> emptyings_;
  async::TaskScope tasks_;
  async::TaskScope for_ever_;
};

}  // namespace sim
