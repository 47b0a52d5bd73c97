// A duet by a future: Annie asks to be called back when Frank has sung.

#include <functional>
#include <iostream>
#include <utility>
#include <vector>

namespace {

// All that a future is: a result that is not there yet, and who wants to be called when it is.
class Future {
 public:
  void when_done(std::function<void()> callback) { callbacks_.push_back(std::move(callback)); }
  void set() {
    for (const auto& callback : callbacks_) callback();
  }

 private:
  std::vector<std::function<void()>> callbacks_;
};

void annie(Future& frank_has_sung) {
  std::cout << "Annie: Whatever you do, I can do it better.\n";
  frank_has_sung.when_done([] { std::cout << "Annie: Yes, I can!\n"; });
}

void frank(Future& has_sung) {
  std::cout << "Frank: No, you can't.\n";
  has_sung.set();
}

}  // namespace

int main() {
  Future frank_has_sung;
  annie(frank_has_sung);
  frank(frank_has_sung);
}
