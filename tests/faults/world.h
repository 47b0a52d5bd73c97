// World: virtual time, chance, and the loops of several machines that run in it.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "async/loop.h"
#include "async/random.h"
#include "async/stream.h"

namespace sim {

using namespace std::chrono_literals;
using async::Duration;
using async::Instant;
using async::Task;

class NodeLoop;
struct Connection;

enum class Host : std::uint8_t { bank, atm, town, office };
inline constexpr std::size_t host_count = 4;
inline std::string_view name_of(Host host) {
  constexpr std::array<std::string_view, host_count> names = {"bank", "atm", "town", "office"};
  return names[static_cast<std::size_t>(host)];
}

// How badly the network behaves.
struct Weather {
  Duration latency_min = 50us;
  Duration latency_max = 500us;
  std::uint64_t spike_permille = 0;  // A segment is late by up to `spike_max`.
  Duration spike_max = 1s;
  std::uint64_t slice_permille = 0;  // A write is cut into pieces that arrive one by one.
};

// What all machines share: the clock, the wires between them, and the one source of chance. One thread; everything happens in
// an order that the seed alone decides.
class World {
 public:
  explicit World(std::uint64_t seed) : random_(seed) {}
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  Instant now() const { return now_; }
  async::WallTime wall_now() const;

  // Chance. Integers only: the same on every compiler.
  async::SeededRandom& random() { return random_; }
  std::uint64_t below(std::uint64_t bound) { return random_.below(bound); }
  bool chance(std::uint64_t permille) { return random_.below(1000) < permille; }
  Duration between(Duration least, Duration most);

  // Calls `event` at that time; those of one instant in the order in which they were asked for.
  void at(Instant when, std::move_only_function<void()> event);
  void after(Duration delay, std::move_only_function<void()> event) {
    at(now_ + delay, std::move(event));
  }

  // Lets time pass until `is_done`, asked between events, or until `end`. False: the end came first.
  bool run(Instant end, const std::function<bool()>& is_done);
  // Called between any two things that happen, when no machine's code is on the stack.
  std::function<void()> supervise;

  // The wires.
  Weather weather;
  bool is_cut(Host from, Host to) const { return cut_[index(from)][index(to)] || down_[index(to)]; }
  void cut(Host from, Host to, bool is) { cut_[index(from)][index(to)] = is; }
  void set_down(Host host, bool is) { down_[index(host)] = is; }
  // A connection between these two is reset; at both ends, or at one, and the other learns it when it writes.
  void reset_a_connection(bool at_both_ends);

  // What leaves the ATM for the bank, and the bank for the ATM, is what these make of it: the place of a faulty client, and of a
  // bank of another version. Whole frames in, whole frames out.
  using Meddle = std::function<std::string(std::string_view)>;
  Meddle meddle_with_requests;
  Meddle meddle_with_answers;

  // The story. Always part of the digest; kept only when somebody will read it.
  template <typename... T>
  void tell(fmt::format_string<T...> form, T&&... values) {
    line_.clear();
    fmt::format_to(std::back_inserter(line_), form, std::forward<T>(values)...);
    told();
  }
  bool keeps_story = false;
  const std::vector<std::string>& story() const { return story_; }
  std::uint64_t digest() const { return digest_; }
  void mix(std::uint64_t number);

 private:
  friend class NodeLoop;
  friend struct Connection;
  static std::size_t index(Host host) { return static_cast<std::size_t>(host); }
  bool run_machines();
  bool advance(Instant end);
  void told();
  Duration latency();

  async::SeededRandom random_;
  Instant now_{std::chrono::hours(1)};
  std::map<std::pair<Instant, std::uint64_t>, std::move_only_function<void()>> events_;
  std::uint64_t order_next_ = 0;
  std::vector<NodeLoop*> machines_;
  std::map<std::string, NodeLoop*> listening_;
  std::vector<std::weak_ptr<Connection>> connections_;
  std::array<std::array<bool, host_count>, host_count> cut_{};
  std::array<bool, host_count> down_{};
  std::string line_;
  std::vector<std::string> story_;
  std::uint64_t digest_ = 0xcbf29ce484222325;
};

// What outlives a process: whether it still lives, and how it died.
struct Life {
  explicit Life(Host where) : host(where) {}
  Host host;
  bool is_dying = false;   // Nothing that its destructors do leaves the machine.
  bool is_silent = false;  // The machine has no power: no kernel closes its connections either.
};

// The loop of one process. Work for the pool and for a storage thread takes time, in which the process may die: then the work
// was done or not, and nobody is told.
class NodeLoop final : public async::Loop {
 public:
  NodeLoop(World& world, Host host);
  ~NodeLoop() override;

  Instant now() const override { return world_.now(); }
  async::WallTime wall_now() const override { return world_.wall_now() + wall_skew; }
  void post(std::move_only_function<void()> callback,
            const async::detail::Place& place = async::detail::Place::current()) override;
  Task<async::Stream> connect(async::Endpoint endpoint) override;
  async::Listener listen(const async::Endpoint& endpoint) override;
  void run_in_pool(std::unique_ptr<async::PoolWork> work) override;

  World& world() { return world_; }
  Host host() const { return life_->host; }
  // Calls `event` after the delay, if the process lives then.
  void later(Duration delay, std::move_only_function<void()> event);
  // What is posted in `work` reaches the loop after the delay, as from another thread.
  void as_thread(Duration delay, const std::function<void()>& work);
  // The process is about to die: what its destructors send goes nowhere.
  void begin_to_die(bool without_power);
  // What ended it, if something did. Asked once.
  std::exception_ptr take_failure() { return std::exchange(failed_, nullptr); }

  std::chrono::microseconds wall_skew{0};
  Duration pool_delay_max = 300us;

 protected:
  void turn() override { async::check(false, "a machine is run by its world"); }

 private:
  friend class World;
  friend struct Connection;
  class Doorway;
  bool step();
  bool run_posted();

  World& world_;
  std::shared_ptr<Life> life_;
  std::deque<std::move_only_function<void()>> posted_;
  std::map<std::uint64_t, std::unique_ptr<async::PoolWork>> pool_;
  std::uint64_t pool_next_ = 0;
  std::vector<std::move_only_function<void()>>* thread_posts_ = nullptr;
  Instant threads_heard_until_ = Instant::min();
  std::map<std::string, Doorway*> doors_;
  std::exception_ptr failed_;
};

}  // namespace sim
