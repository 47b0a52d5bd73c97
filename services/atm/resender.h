// Resender: tells a bank whose history went back what it has forgotten (rule 24).
#pragma once

#include <cstdint>
#include <string>

#include "async/future.h"
#include "atm/machinery.h"
#include "atm/records.h"

namespace atm {

// Waits until the bank's history breaks, then sends every item that was ever settled again, with
// its old ids: the bank answers what it still knows with its first answer and does what it lost
// once more. A bank that is not the remembered one is sent nothing before the operator agrees.
// Owned by the Atm; loop thread only.
class Resender {
 public:
  explicit Resender(Machinery& machinery) : machinery_(machinery), done_(machinery.loop) {
    done_.set();
  }

  Task<> run();

  // Set while nothing is being sent.
  async::Event& done() { return done_; }
  std::uint32_t sent() const { return sent_; }

 private:
  Task<> send_everything();
  Task<> send(Withdrawal withdrawal);
  Task<> send(Deposit deposit);
  Task<> send(Movement movement);
  // Asks until the bank answered, or definitely did not begin.
  template <typename Request, typename Response>
  Task<> again(const rpc::Method<Request, Response>& method, Request request);
  void refused(const std::string& method, const ::bank::v1::Refusal& refusal);

  Machinery& machinery_;
  async::Event done_;
  std::uint32_t sent_ = 0;
};

}  // namespace atm
