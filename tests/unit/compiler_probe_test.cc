// What the compiler makes of coroutines: each pattern that the tree may use must destroy every object
// exactly once, whether it runs to its end or is destroyed at any of its awaits.
//
// g++ 12 destroys twice: aggregate temporaries, temporaries of capturing lambdas and class-typed ?:
// in an expression with co_await, and aggregates with co_await within their braces. So style rule 6,
// "name it before you await it": those patterns are not here, and nowhere else.

#include <coroutine>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "async/task.h"

namespace async {
namespace {

int alive = 0;                   // Probes; it must return to zero.
std::coroutine_handle<> parked;  // The innermost coroutine, where it waits.

// Owns memory, so that the address sanitizer sees what the count does not.
struct Probe {
  std::string text;

  explicit Probe(const char* size = "long enough to need the heap, so that a second end is noticed")
      : text(size) {
    ++alive;
  }
  Probe(const Probe& other) : text(other.text) { ++alive; }
  Probe(Probe&& other) noexcept : text(std::move(other.text)) { ++alive; }
  Probe& operator=(const Probe&) = default;
  Probe& operator=(Probe&&) = default;
  ~Probe() { --alive; }
};

struct Options {
  Probe name;
  int count = 0;
};

struct Pair {
  int first = 0;
  int second = 0;
};

struct Park {
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> handle) const noexcept { parked = handle; }
  void await_resume() const noexcept {}
};

Task<int> take(Options options) {
  co_await Park();
  co_return options.count;
}
Task<int> take_probe(Probe probe, Probe other = Probe()) {
  co_await Park();
  co_return static_cast<int>(probe.text.size() - other.text.size());
}
Task<int> take_many(std::vector<Probe> probes) {
  co_await Park();
  co_return static_cast<int>(probes.size());
}
Task<int> take_pair(Pair pair) {
  co_await Park();
  co_return pair.first + pair.second;
}
Task<int> call(std::function<int()> function) {
  co_await Park();
  co_return function();
}
template <typename Function>
Task<int> call_directly(Function function) {
  co_await Park();
  co_return function();
}
Task<Probe> make() {
  co_await Park();
  co_return Probe();
}
Task<std::optional<Probe>> make_some(int* left) {
  co_await Park();
  std::optional<Probe> some;
  if ((*left)-- > 0) some.emplace();
  co_return some;
}
Task<Options> make_options() {
  Probe name = co_await make();
  co_return Options{.name = std::move(name), .count = 2};
}
Task<std::pair<Probe, Probe>> make_two() {
  Probe first = co_await make();
  Probe second = co_await make();
  co_return std::pair(std::move(first), std::move(second));
}
Task<> fail_with_options() {
  co_await Park();
  throw Options{.name = Probe(), .count = 3};
}
Task<bool> yes() {
  co_await Park();
  co_return true;
}
Options options_of(int count) { return Options{.name = Probe(), .count = count}; }

Task<> a_constructed_temporary() { co_await take_probe(Probe()); }
Task<> a_default_argument() {
  const Probe probe;
  co_await take_probe(probe);
}
Task<> a_unique_pointer() {
  auto keep = [](std::unique_ptr<Probe> kept) -> Task<> {
    co_await Park();
    kept.reset();
  };
  co_await keep(std::make_unique<Probe>());
}
Task<> a_named_aggregate() {
  Options options{.name = Probe(), .count = 1};
  co_await take(options);
  co_await take(std::move(options));
}
Task<> an_aggregate_from_a_function() { co_await take(options_of(4)); }
Task<> a_named_lambda_that_captures() {
  Probe probe;
  auto size = [probe] { return static_cast<int>(probe.text.size()); };
  co_await call(size);
  co_await call_directly(std::move(size));
}
Task<> a_lambda_that_captures_a_reference() {
  Probe probe;
  co_await call_directly([&] { return static_cast<int>(probe.text.size()); });
}
Task<> a_coroutine_lambda_with_parameters() {
  Probe probe;
  auto wait = [](Probe held) -> Task<int> {
    co_await Park();
    co_return static_cast<int>(held.text.size());
  };
  co_await wait(probe);
  co_await wait(std::move(probe));
}
Task<> a_named_list() {
  std::vector<Probe> probes(2);
  co_await take_many(probes);
  co_await take_many(std::move(probes));
}
Task<> an_aggregate_of_numbers() {
  const Pair pair{.first = 1, .second = 2};
  const int sum = co_await take_pair(pair);
  EXPECT_EQ(sum, 3);
}
Task<> an_aggregate_that_is_returned() {
  const Options options = co_await make_options();
  EXPECT_EQ(options.count, 2);
}
Task<> a_pair_that_is_returned() {
  const std::pair<Probe, Probe> both = co_await make_two();
  EXPECT_EQ(both.first.text, both.second.text);
}
Task<> an_aggregate_that_is_thrown() {
  int caught = 0;
  try {
    co_await fail_with_options();
  } catch (const Options& options) {
    caught = options.count;
  }
  EXPECT_EQ(caught, 3);
}
Task<> locals_across_awaits() {
  Options first{.name = Probe(), .count = 1};
  co_await Park();
  {
    Options second = first;
    co_await Park();
    second.count += first.count;
  }
  std::map<std::string, Probe> third;
  third.emplace("one", Probe());
  co_await Park();
}
Task<> two_awaits_as_arguments() {
  auto join = [](const Probe& a, const Probe& b) { return a.text + b.text; };
  const std::string joined = join(co_await make(), co_await make());
  EXPECT_EQ(joined.size() % 2, 0U);
}
Task<> an_await_of_an_await() { co_await take_probe(co_await make()); }
Task<> a_loop_over_awaits() {
  int left = 3;
  while (std::optional<Probe> some = co_await make_some(&left)) {
    co_await take_probe(*some);
  }
  EXPECT_EQ(left, -1);
}
Task<> a_condition_with_an_initializer() {
  int left = 1;
  if (std::optional<Probe> some = co_await make_some(&left); some) {
    co_await take_probe(std::move(*some));
  }
}
Task<> a_conjunction_of_awaits() {
  const Probe probe;
  const bool both = co_await yes() && co_await yes();
  EXPECT_TRUE(both);
}
Task<> a_switch_over_an_await() {
  const Options options = options_of(5);
  switch (co_await take(options)) {
    case 5:
      co_await Park();
      break;
    default:
      ADD_FAILURE();
  }
}
Task<> a_range_of_probes() {
  const std::vector<Probe> probes(2);
  for (const Probe& probe : probes) co_await take_probe(probe);
}
Task<> an_expectation_of_an_await() {
  EXPECT_EQ(co_await take(options_of(6)), 6);
  EXPECT_THROW(co_await fail_with_options(), Options);
}
Task<> a_named_choice() {
  const Probe first;
  const Probe second;
  const Probe chosen = alive > 0 ? first : second;
  co_await take_probe(chosen);
}
Task<> a_choice_of_tasks() {
  Task<Probe> chosen = alive >= 0 ? make() : make();
  const Probe probe = co_await chosen;
  EXPECT_FALSE(probe.text.empty());
}
Task<> tasks_that_are_never_awaited() {
  const Task<Probe> never = make();
  std::vector<Task<int>> several;
  several.push_back(take_probe(Probe()));
  several.push_back(take(options_of(1)));
  Task<int>& first = several.front();  // Named: g++ 12 would copy it.
  co_await first;
}
Task<> five_coroutines_deep() {
  auto one = [](Probe probe) -> Task<int> { co_return co_await take_probe(probe); };
  auto two = [](Probe probe, auto next) -> Task<int> { co_return co_await next(probe); };
  auto three = [](Probe probe, auto next, auto last) -> Task<int> {
    const Probe kept = probe;
    co_return co_await next(kept, last);
  };
  const Probe probe;
  co_await three(probe, two, one);
}

struct Pattern {
  const char* name;
  Task<> (*run)();
};

void PrintTo(const Pattern& pattern, std::ostream* out) { *out << pattern.name; }

class CompilerProbeTest : public testing::TestWithParam<Pattern> {
 protected:
  // False: it ended before it had waited so often.
  bool run_until_wait(int count) {
    parked = nullptr;
    Task<> task = GetParam().run();
    if (!task.await_suspend(std::noop_coroutine())) {
      task.await_resume();
      return false;
    }
    for (int i = 0; i < count; ++i) {
      if (!parked) {
        task.await_resume();
        return false;
      }
      std::exchange(parked, nullptr).resume();
    }
    return parked != nullptr;  // The task is cancelled here.
  }
};

TEST_P(CompilerProbeTest, DestroysEachObjectOnceWhereverItIsCancelled) {
  int waits = 0;
  while (run_until_wait(waits)) {
    ASSERT_EQ(alive, 0) << "cancelled at await " << waits;
    ++waits;
  }
  ASSERT_EQ(alive, 0) << "run to its end";
  EXPECT_GT(waits, 0);
}

#define PATTERN(function) \
  Pattern { #function, function }
INSTANTIATE_TEST_SUITE_P(
    Rule6, CompilerProbeTest,
    testing::Values(PATTERN(a_constructed_temporary), PATTERN(a_default_argument),
                    PATTERN(a_unique_pointer), PATTERN(a_named_aggregate),
                    PATTERN(an_aggregate_from_a_function), PATTERN(a_named_lambda_that_captures),
                    PATTERN(a_lambda_that_captures_a_reference),
                    PATTERN(a_coroutine_lambda_with_parameters), PATTERN(a_named_list),
                    PATTERN(an_aggregate_of_numbers), PATTERN(an_aggregate_that_is_returned),
                    PATTERN(a_pair_that_is_returned), PATTERN(an_aggregate_that_is_thrown),
                    PATTERN(locals_across_awaits), PATTERN(two_awaits_as_arguments),
                    PATTERN(an_await_of_an_await), PATTERN(a_loop_over_awaits),
                    PATTERN(a_condition_with_an_initializer), PATTERN(a_conjunction_of_awaits),
                    PATTERN(a_switch_over_an_await), PATTERN(a_range_of_probes),
                    PATTERN(an_expectation_of_an_await), PATTERN(a_named_choice),
                    PATTERN(a_choice_of_tasks), PATTERN(tasks_that_are_never_awaited),
                    PATTERN(five_coroutines_deep)),
    [](const testing::TestParamInfo<Pattern>& pattern) { return std::string(pattern.param.name); });

}  // namespace
}  // namespace async
