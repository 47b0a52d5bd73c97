#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "async/check.h"
#include "bench/load/wire.h"
#include "bench/micro/bank_in_memory.h"
#include "bench/micro/cores.h"

namespace bench {
namespace {

constexpr std::size_t cards = 100;

// Requests of random cards, so many in each read, from their bytes to their replies' bytes.
class Requests : public Work {
 public:
  explicit Requests(std::size_t at_once) : at_once_(at_once) {
    for (std::size_t card = 0; card < cards; ++card) {
      templates_.emplace_back(card, 0, bank_.token_of(card));
    }
  }

  void run(std::size_t times) override {
    for (std::size_t done = 0; done < times; done += at_once_) {
      frames_.clear();
      for (std::size_t at = 0; at < at_once_; ++at) append(frames_);
      const std::size_t bytes = bank_.exchange(frames_);
      async::check(bytes >= at_once_ * reply_size_min_, "everything is answered with a yes");
    }
  }

 protected:
  virtual void append(std::string& frames) = 0;

  const load::CardTemplates& any_card() { return templates_[random_.random() % cards]; }
  std::uint64_t next_call() { return load::call_id_min + (call_++ & 0xffffU); }

  BankInMemory bank_;
  load::ChangeIds random_{7};

 private:
  // A refusal, or an error, is shorter or longer, but never with a balance in it.
  static constexpr std::size_t reply_size_min_ = 30;
  std::size_t at_once_;
  std::vector<load::CardTemplates> templates_;
  std::uint32_t call_ = 0;
  std::string frames_;
};

template <std::size_t at_once>
class Balances final : public Requests {
 public:
  Balances() : Requests(at_once) {}

 private:
  void append(std::string& frames) override { any_card().balance.append(frames, next_call()); }
};

template <std::size_t at_once>
class Posts final : public Requests {
 public:
  Posts() : Requests(at_once) {}

 private:
  void append(std::string& frames) override {
    const load::Template& transfer = any_card().transfer;
    const std::size_t at = transfer.append(frames, next_call());
    transfer.set_change(frames.data() + at, random_.next(bank_.clock.milliseconds()));
    // Never the card's own.
    transfer.set_target(frames.data() + at, cards + random_.random() % (accounts - cards));
  }
};

constexpr std::array cores = {
    Core{"balance-1", "a GetBalance, one in each read", &make<Balances<1>>},
    Core{"balance-64", "a GetBalance, 64 in each read", &make<Balances<64>>},
    Core{"post-1", "a Transfer, one in each commit", &make<Posts<1>>},
    Core{"post-64", "a Transfer, 64 in each commit", &make<Posts<64>>},
};

}  // namespace

std::span<const Core> request_cores() { return cores; }

}  // namespace bench
