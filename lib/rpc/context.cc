#include "rpc/context.h"

#include <coroutine>

namespace rpc {

async::Task<> Context::wait_until_abandoned(Context context) {
  if (context.caller_ == nullptr)
    co_await std::suspend_always{};  // For ever: until the waiting task is destroyed.
  co_await context.caller_->gone;
}

}  // namespace rpc
