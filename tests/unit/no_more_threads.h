// A system that refuses to start threads.
#pragma once

#include <cstddef>
#include <pthread.h>

#include <gtest/gtest.h>

namespace async {

// While it lives, the system has no memory for the stack that a new thread of this process asks for.
class NoMoreThreads {
 public:
  NoMoreThreads() {
    constexpr std::size_t more_than_there_is = std::size_t{1} << 46U;
    pthread_getattr_default_np(&before_);
    pthread_attr_t wanted = before_;
    EXPECT_EQ(pthread_attr_setstacksize(&wanted, more_than_there_is), 0);
    EXPECT_EQ(pthread_setattr_default_np(&wanted), 0);
  }
  NoMoreThreads(const NoMoreThreads&) = delete;
  NoMoreThreads& operator=(const NoMoreThreads&) = delete;
  ~NoMoreThreads() {
    pthread_setattr_default_np(&before_);
    pthread_attr_destroy(&before_);
  }

 private:
  pthread_attr_t before_{};
};

}  // namespace async
