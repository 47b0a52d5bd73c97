// A duet by tasks: as by a future, but in line.

#include <chrono>
#include <iostream>

#include "async/future.h"
#include "async/scope.h"
#include "async/uv_loop.h"

using namespace std::chrono_literals;
using async::Future;
using async::Promise;
using async::Task;
using async::TaskScope;
using async::UvLoop;

namespace {

Task<> frank(UvLoop* loop) {
  co_await loop->sleep_for(10ms);  // He takes a breath, and the loop has time for others.
  std::cout << "Frank: No, you can't.\n";
}

Task<int> annie(UvLoop* loop) {
  int verses = 0;
  while (verses < 2) {
    std::cout << "Annie: Whatever you do, I can do it better.\n";
    co_await frank(loop);  // Awaits another task: she goes on when he has returned.
    std::cout << "Annie: Yes, I can!\n";
    ++verses;
  }
  co_return verses;  // Returns: whoever awaits her goes on with this.
}

Task<> audience(Future<int> end) {
  std::cout << "(The audience takes its seats.)\n";
  const int verses = co_await end;  // Awaits a future: goes on when somebody sets it.
  std::cout << "(Applause, after " << verses << " verses.)\n";
}

Task<> concert(UvLoop* loop) {
  TaskScope seats(*loop);
  Promise<int> end(*loop);
  seats.spawn(audience(end.future()));  // Runs beside us from here on.
  end.set(co_await annie(loop));
  co_await seats.join();
}

}  // namespace

int main() {
  UvLoop loop;
  loop.run(concert(&loop));
}
