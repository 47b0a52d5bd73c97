// Backoff: how long to wait before asking again.
#pragma once

#include <algorithm>
#include <chrono>

#include "async/random.h"
#include "async/time.h"

namespace atm {

// Doubles from `first` to `most`, and each wait is drawn between half of that and all of it, so
// that many ATMs that lost their bank together do not come back together.
class Backoff {
 public:
  Backoff(async::Random& random, async::Duration first, async::Duration most)
      : random_(random), next_(first), most_(most) {}

  async::Duration next() {
    const auto half = static_cast<std::uint64_t>(next_.count()) / 2;
    next_ = std::min(next_ * 2, most_);
    return async::Duration(static_cast<async::Duration::rep>(half + random_.below(half + 1)));
  }

 private:
  async::Random& random_;
  async::Duration next_;
  async::Duration most_;
};

}  // namespace atm
