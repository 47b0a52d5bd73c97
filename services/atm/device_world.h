// DeviceWorld: the physical world that the simulated devices of an atmd act in.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "async/future.h"
#include "async/loop.h"
#include "async/scope.h"
#include "async/task.h"
#include "atm/device_file.h"

namespace atm {

using async::Task;

// Group commit, as the Journal: acts that queue while others are made durable are the next step
// together, whichever device each is on. Owned by main or a test, outlives its devices; loop thread
// only.
//
// Invariant: acts happen in the order in which they were handed in, each whole or not at all, and
// whether or not anybody still waits. After an act that threw no other happens and no waiter goes
// on: the error ends Loop::run, and the process with it.
class DeviceWorld {
 public:
  DeviceWorld(async::Loop& loop, std::shared_ptr<DeviceFile> file);

  // Done when `act(DeviceRows&)` has happened for good; returns what it returned.
  template <typename Act>
  Task<std::invoke_result_t<Act, DeviceRows&>> change(std::string device, Act act);
  // Done when everything that was handed in has happened, and the file is seen to be in its place.
  Task<> flush();
  // As it was found when the file was opened; not once there were acts.
  Fault fault_of(std::string_view device) { return file_->fault_of(device); }

 private:
  Task<> act_in_groups();

  async::Loop& loop_;
  std::shared_ptr<DeviceFile> file_;
  std::vector<DeviceFile::Act> queued_;
  std::vector<async::Promise<>> waiters_;
  async::Event wanted_;
  async::TaskScope tasks_;
};

template <typename Act>
Task<std::invoke_result_t<Act, DeviceRows&>> DeviceWorld::change(std::string device, Act act) {
  // The waiting task may be gone before the pool's thread has an answer.
  auto answer = std::make_shared<std::optional<std::invoke_result_t<Act, DeviceRows&>>>();
  queued_.push_back(
      [device = std::move(device), act = std::move(act), answer](Tables& tables) mutable {
        DeviceRows rows(tables, device);
        answer->emplace(act(rows));
      });
  co_await flush();
  co_return *std::move(*answer);
}

}  // namespace atm
