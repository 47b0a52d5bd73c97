#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "async/check.h"
#include "async/future.h"
#include "async/manual_loop.h"
#include "async/scope.h"
#include "async/stream.h"
#include "async/task.h"
#include "bank/v1/bank.pb.h"
#include "bench/load/wire.h"
#include "bench/micro/cores.h"
#include "rpc/envelope.h"
#include "rpc/frame.h"

namespace bench {
namespace {

constexpr std::size_t frames_per_read = 64;

bank::v1::GetBalanceRequest balance_request() {
  bank::v1::GetBalanceRequest request;
  request.set_terminal_id("t-0001");
  request.set_card_number(load::card_number(1));
  request.set_token(std::string(16, 'x'));
  return request;
}

bank::v1::GetBalanceResponse balance_response() {
  bank::v1::GetBalanceResponse response;
  bank::v1::Balance& balance = *response.mutable_balance();
  balance.mutable_balance()->set_minor_units(1'000'000);
  balance.mutable_balance()->set_currency("EUR");
  *balance.mutable_available() = balance.balance();
  response.set_ledger_seq(20'000);
  return response;
}

std::string request_frames() {
  std::string frames;
  const load::Template request("bank.v1.BankService/GetBalance", balance_request());
  for (std::uint32_t at = 0; at < frames_per_read; ++at) {
    request.append(frames, load::call_id_min + at);
  }
  return frames;
}

// Cuts a read of 64 requests into its frames.
class CutFrames final : public Work {
 public:
  void run(std::size_t times) override {
    for (std::size_t done = 0; done < times; done += frames_per_read) {
      reader_.feed(async::bytes_of(frames_), [this](const rpc::Frame& frame) {
        seen_ += frame.body.size();
        return true;
      });
    }
    async::check(seen_ > 0, "frames were seen");
  }

 private:
  const std::string frames_ = request_frames();
  rpc::FrameReader reader_;
  std::size_t seen_ = 0;
};

class ReadRequests final : public Work {
 public:
  void run(std::size_t times) override {
    const auto body = async::bytes_of(frames_).subspan(rpc::frame_header_size, size());
    for (std::size_t at = 0; at < times; ++at) {
      async::check(rpc::detail::read_request(body).has_value(), "a request is read");
    }
  }

 private:
  std::size_t size() const {
    return static_cast<unsigned char>(frames_[0]) * 256U + static_cast<unsigned char>(frames_[1]);
  }

  const std::string frames_ = request_frames();
};

class AppendResponses final : public Work {
 public:
  void run(std::size_t times) override {
    for (std::size_t at = 0; at < times; ++at) {
      if (at % frames_per_read == 0) out_.clear();
      rpc::detail::append_response(out_, load::call_id_min + at, response_, false);
    }
  }

 private:
  const bank::v1::GetBalanceResponse response_ = balance_response();
  std::string out_;
};

async::Task<int> leaf(int value) { co_return value; }

async::Task<int> parent(int value) {
  const int got = co_await leaf(value);
  co_return got + 1;
}

async::Task<> run_tasks(std::size_t times, std::int64_t* sum) {
  for (std::size_t at = 0; at < times; ++at) {
    const int got = co_await parent(static_cast<int>(at & 0xffU));
    *sum += got;
  }
}

// A task that awaits a task that awaits a task, all of which end at once.
class AwaitTasks final : public Work {
 public:
  void run(std::size_t times) override {
    async::TaskScope scope(loop_);
    scope.spawn(run_tasks(times, &sum_));
    async::check(sum_ > 0, "the tasks ran");
  }

 private:
  async::ManualLoop loop_;
  std::int64_t sum_ = 0;
};

async::Task<> wait_for(async::Future<int> future, std::int64_t* sum) {
  const int got = co_await std::move(future);
  *sum += got;
}

// A task that waits for a promise, and goes on in the loop's next turn.
class KeepPromises final : public Work {
 public:
  void run(std::size_t times) override {
    async::TaskScope scope(loop_);
    for (std::size_t at = 0; at < times; ++at) {
      async::Promise<int> promise(loop_);
      scope.spawn(wait_for(promise.future(), &sum_));
      promise.set(1);
      loop_.settle();
    }
  }

 private:
  async::ManualLoop loop_;
  std::int64_t sum_ = 0;
};

constexpr std::array cores = {
    Core{"frame", "cut a request's frame off a read", &make<CutFrames>},
    Core{"envelope-read", "read a request's envelope", &make<ReadRequests>},
    Core{"envelope-write", "write a response's frame", &make<AppendResponses>},
    Core{"task", "await a task that awaits a task", &make<AwaitTasks>},
    Core{"promise", "wait for a promise, through the loop", &make<KeepPromises>},
};

}  // namespace

std::span<const Core> wire_cores() { return cores; }

}  // namespace bench
