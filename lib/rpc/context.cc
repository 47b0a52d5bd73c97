#include "rpc/context.h"

#include <coroutine>

namespace rpc {

async::Task<> Context::wait_until_abandoned(Context context) {
  constexpr std::suspend_always for_ever;  // Until the waiting task is destroyed.
  if (context.caller_ == nullptr) co_await for_ever;
  co_await context.caller_->gone;
}

}  // namespace rpc
