#include "atm/settings.h"

#include <time.h>

namespace atm {

std::chrono::nanoseconds SystemBootClock::now() const {
  timespec time{};
  clock_gettime(CLOCK_BOOTTIME, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

}  // namespace atm
