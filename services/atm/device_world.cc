#include "atm/device_world.h"

namespace atm {

DeviceWorld::DeviceWorld(async::Loop& loop, std::shared_ptr<DeviceFile> file)
    : loop_(loop), file_(std::move(file)), wanted_(loop), tasks_(loop) {
  tasks_.spawn(act_in_groups());
}

Task<> DeviceWorld::flush() {
  async::Promise<> promise(loop_);
  async::Future<> happened = promise.future();
  waiters_.push_back(std::move(promise));
  wanted_.set();
  co_await happened;
}

Task<> DeviceWorld::act_in_groups() {
  while (true) {
    co_await wanted_;
    wanted_.clear();
    std::vector<async::Promise<>> waiters = std::exchange(waiters_, {});
    // The pool's work owns what it does: this world may be gone before it is done.
    auto change = [file = file_, acts = std::exchange(queued_, {})]() mutable {
      file->change(acts);
    };
    co_await loop_.offload(std::move(change));
    for (async::Promise<>& waiter : waiters) waiter.set();
  }
}

}  // namespace atm
