// The wires of the world: connections whose bytes take time, wait for cut wires to be mended, and are lost with a reset.
#include <algorithm>
#include <cerrno>
#include <utility>

#include "async/future.h"
#include "async/waiting_place.h"
#include "world.h"

namespace sim {

using async::IoError;

namespace {

constexpr std::size_t window = 64 * 1024;
// A segment that finds the wire cut is sent again after about so long.
constexpr Duration resend_min = 50ms;
constexpr Duration resend_max = 600ms;

// One way of a connection. The end that reads and the end that writes may each be gone.
//
// Invariant: while `reader` is set there is nothing to read.
struct Pipe {
  struct Segment {
    enum class Kind : std::uint8_t { bytes, end, reset };
    Instant when;
    Kind kind = Kind::bytes;
    std::string bytes;
  };

  Pipe(Host sender, Host receiver, async::Loop& writer)
      : from(sender), to(receiver), room(writer) {}
  std::size_t space() const {
    const std::size_t used = flying_bytes + arrived.size();
    return used < window ? window - used : 0;
  }

  Host from;
  Host to;
  std::deque<Segment> flying;
  std::size_t flying_bytes = 0;
  std::string arrived;
  std::string lent;  // With the reader, until it reads again.
  async::StreamReader* reader = nullptr;
  async::Loop* reader_loop = nullptr;  // Of `reader`.
  async::Event room;                   // For the writer.
  bool ended = false;
  bool was_reset = false;
  bool reader_is_gone = false;
  bool writer_is_gone = false;
  bool is_shut = false;    // The writer sends no more.
  bool is_broken = false;  // The writer was told that nobody reads.
};

}  // namespace

struct Connection : std::enable_shared_from_this<Connection> {
  Connection(World& in, NodeLoop& caller, NodeLoop& callee)
      : world(in),
        pipes{Pipe(caller.host(), callee.host(), caller),
              Pipe(callee.host(), caller.host(), callee)} {}

  bool is_between_living() const { return !pipes[0].writer_is_gone && !pipes[1].writer_is_gone; }

  void send(std::size_t way, Pipe::Segment::Kind kind, std::string bytes) {
    Pipe& pipe = pipes[way];
    Instant when = world.now() + world.latency();
    if (!pipe.flying.empty()) when = std::max(when, pipe.flying.back().when);
    pipe.flying_bytes += bytes.size();
    pipe.flying.push_back({.when = when, .kind = kind, .bytes = std::move(bytes)});
    if (pipe.flying.size() == 1) schedule(way);
  }

  void send_bytes(std::size_t way, std::string_view bytes) {
    std::string meddled;
    const World::Meddle* meddle = nullptr;
    if (pipes[way].from == Host::atm && pipes[way].to == Host::bank) {
      meddle = &world.meddle_with_requests;
    } else if (pipes[way].from == Host::bank && pipes[way].to == Host::atm) {
      meddle = &world.meddle_with_answers;
    }
    if (meddle != nullptr && *meddle) {
      meddled = (*meddle)(bytes);
      bytes = meddled;
    }
    world.mix(bytes.size());
    while (!bytes.empty()) {
      std::size_t size = bytes.size();
      if (world.weather.slice_permille > 0 && world.chance(world.weather.slice_permille)) {
        size = 1 + world.below(std::min<std::size_t>(size, 40));
      }
      send(way, Pipe::Segment::Kind::bytes, std::string(bytes.substr(0, size)));
      bytes.remove_prefix(size);
    }
  }

  void schedule(std::size_t way) {
    world.at(pipes[way].flying.front().when,
             [self = shared_from_this(), way] { self->arrive(way); });
  }

  void arrive(std::size_t way) {
    Pipe& pipe = pipes[way];
    // What was lost meanwhile may have been followed by something with a time of its own.
    if (pipe.flying.empty() || pipe.flying.front().when > world.now()) return;
    if (world.is_cut(pipe.from, pipe.to)) {
      pipe.flying.front().when = world.now() + world.between(resend_min, resend_max);
    } else {
      Pipe::Segment segment = std::move(pipe.flying.front());
      pipe.flying.pop_front();
      pipe.flying_bytes -= segment.bytes.size();
      take(way, std::move(segment));
      if (!pipe.flying.empty()) {
        Pipe::Segment& next = pipe.flying.front();
        next.when = std::max(next.when, world.now());
      }
    }
    if (!pipe.flying.empty()) schedule(way);
  }

  void take(std::size_t way, Pipe::Segment segment) {
    using Kind = Pipe::Segment::Kind;
    Pipe& pipe = pipes[way];
    Pipe& back = pipes[1 - way];
    if (segment.kind == Kind::reset) {
      reset_at(way);
    } else if (pipe.reader_is_gone) {
      // Nobody is there any more: the sender is told so.
      if (segment.kind == Kind::bytes) send(1 - way, Kind::reset, "");
    } else if (segment.kind == Kind::end) {
      pipe.ended = true;
    } else if (!pipe.ended) {
      pipe.arrived += segment.bytes;
    }
    if (segment.kind == Kind::reset) back.flying.clear();
    wake_reader(pipe);
  }

  // The reader of this way, which writes the other way, sees the connection reset.
  void reset_at(std::size_t way) {
    Pipe& pipe = pipes[way];
    if (!pipe.ended) pipe.was_reset = true;
    pipe.ended = true;
    pipe.arrived.clear();
    pipes[1 - way].is_broken = true;
    pipes[1 - way].room.set();
    wake_reader(pipe);
  }

  void fill(Pipe& pipe, async::StreamReader& waiting) {
    if (pipe.arrived.empty() && pipe.was_reset) {
      waiting.error = std::make_exception_ptr(IoError(-ECONNRESET, "read from the connection"));
    }
    pipe.lent = std::exchange(pipe.arrived, {});
    waiting.bytes = async::bytes_of(pipe.lent);
    if (!pipe.writer_is_gone) pipe.room.set();
  }

  void wake_reader(Pipe& pipe) {
    if (pipe.reader == nullptr || (pipe.arrived.empty() && !pipe.ended)) return;
    async::StreamReader& waiting = *std::exchange(pipe.reader, nullptr);
    fill(pipe, waiting);
    pipe.reader_loop->make_ready(waiting.ready);
  }

  World& world;
  std::array<Pipe, 2> pipes;
};

namespace {

// One end. Writes pipe `out`, reads the other.
class WireTransport final : public async::StreamTransport {
 public:
  WireTransport(NodeLoop& loop, std::shared_ptr<Life> life, std::shared_ptr<Connection> connection,
                std::size_t out)
      : StreamTransport(loop),
        loop_(loop),
        life_(std::move(life)),
        connection_(std::move(connection)),
        way_(out) {}

  ~WireTransport() override {
    Pipe& in = this->in();
    Pipe& out = this->out();
    const bool leaves_unread = !in.arrived.empty();
    in.reader = nullptr;
    in.reader_is_gone = true;
    in.arrived.clear();
    out.writer_is_gone = true;
    out.room.set();
    // A dead process is closed by its kernel; one without power is not.
    if (life_->is_silent || out.is_broken) return;
    using Kind = Pipe::Segment::Kind;
    if (!out.is_shut || leaves_unread) {
      connection_->send(way_, leaves_unread ? Kind::reset : Kind::end, "");
    }
  }

  bool read(async::StreamReader& reader) override {
    Pipe& in = this->in();
    async::check(in.reader == nullptr, "a stream is read by one task");
    if (in.arrived.empty() && !in.ended) {
      in.reader = &reader;
      in.reader_loop = &loop_;
      return false;
    }
    connection_->fill(in, reader);
    return true;
  }

  void stop_reading() noexcept override { in().reader = nullptr; }

  std::size_t try_write(std::span<const std::byte> bytes) override {
    refuse_if_broken();
    const std::size_t size = std::min(bytes.size(), out().space());
    if (!life_->is_dying) connection_->send_bytes(way_, async::text_of(bytes.first(size)));
    return size;
  }

  Task<> write(std::string bytes) override {
    const std::shared_ptr<Connection> kept = connection_;  // The transport may go while this waits.
    Pipe& pipe = out();
    std::size_t written = 0;
    while (true) {
      refuse_if_broken();
      const std::size_t size = std::min(bytes.size() - written, pipe.space());
      connection_->send_bytes(way_, std::string_view(bytes).substr(written, size));
      written += size;
      if (written == bytes.size()) co_return;
      pipe.room.clear();
      co_await pipe.room;
      if (pipe.writer_is_gone) throw IoError(-ECANCELED, "write to the connection");
    }
  }

  Task<> shutdown() override {
    if (!std::exchange(out().is_shut, true)) connection_->send(way_, Pipe::Segment::Kind::end, "");
    co_return;
  }

  std::string peer() const override {
    return std::string(name_of(connection_->pipes[way_].to)) + ":1";
  }

 private:
  Pipe& out() { return connection_->pipes[way_]; }
  Pipe& in() { return connection_->pipes[1 - way_]; }
  void refuse_if_broken() {
    if (out().is_broken || out().is_shut) throw IoError(-EPIPE, "write to the connection");
  }

  NodeLoop& loop_;
  std::shared_ptr<Life> life_;
  std::shared_ptr<Connection> connection_;
  std::size_t way_;
};

}  // namespace

class NodeLoop::Doorway final : public async::ListenerTransport {
 public:
  Doorway(NodeLoop& loop, async::Endpoint local)
      : loop_(loop), local_(std::move(local)), accepting_(loop) {
    loop_.doors_[local_.text()] = this;
    loop_.world_.listening_[local_.text()] = &loop_;
  }
  ~Doorway() override {
    loop_.world_.listening_.erase(local_.text());
    loop_.doors_.erase(local_.text());
  }

  Task<async::Stream> accept() override {
    while (waiting_.empty()) {
      const bool is_open = co_await accepting_;
      if (!is_open) throw IoError(-ECANCELED, "accept a connection");
    }
    async::Stream stream = std::move(waiting_.front());
    waiting_.pop_front();
    co_return stream;
  }
  async::Endpoint local() const override { return local_; }

  void arrive(async::Stream stream) {
    waiting_.push_back(std::move(stream));
    accepting_.wake();
  }
  // The end of a caller that this door has let in; the other end waits to be accepted.
  async::Stream admit(NodeLoop& caller) {
    World& world = loop_.world_;
    auto connection = std::make_shared<Connection>(world, caller, loop_);
    std::erase_if(world.connections_, [](const auto& known) { return known.expired(); });
    world.connections_.push_back(connection);
    arrive(async::Stream(std::make_unique<WireTransport>(loop_, loop_.life_, connection, 1)));
    return async::Stream(std::make_unique<WireTransport>(caller, caller.life_, connection, 0));
  }

 private:
  NodeLoop& loop_;
  async::Endpoint local_;
  std::deque<async::Stream> waiting_;
  async::WaitingPlace accepting_;
};

async::Listener NodeLoop::listen(const async::Endpoint& endpoint) {
  if (world_.listening_.contains(endpoint.text())) {
    throw IoError(-EADDRINUSE, "listen on " + endpoint.text());
  }
  return async::Listener(std::make_unique<Doorway>(*this, endpoint));
}

// There and back, as a handshake. While the wire is cut it is tried again; who waits has a deadline of its own.
Task<async::Stream> NodeLoop::connect(async::Endpoint endpoint) {
  const std::string name = endpoint.text();
  Host there = Host::bank;
  for (std::size_t i = 0; i < host_count; ++i) {
    if (endpoint.host == name_of(static_cast<Host>(i))) there = static_cast<Host>(i);
  }
  const Duration way_there = world_.latency();
  co_await sleep_for(way_there);
  while (world_.is_cut(host(), there) || world_.is_cut(there, host())) {
    const Duration pause = world_.between(resend_min, resend_max);
    co_await sleep_for(pause);
  }
  const auto found = world_.listening_.find(name);
  if (found == world_.listening_.end() || found->second->life_->is_dying) {
    throw IoError(-ECONNREFUSED, "connect to " + name);
  }
  async::Stream stream = found->second->doors_.at(name)->admit(*this);
  const Duration way_back = world_.latency();
  co_await sleep_for(way_back);
  co_return stream;
}

void World::reset_a_connection(bool at_both_ends) {
  std::vector<std::shared_ptr<Connection>> living;
  for (const auto& known : connections_) {
    std::shared_ptr<Connection> connection = known.lock();
    if (connection && connection->is_between_living()) living.push_back(std::move(connection));
  }
  if (living.empty()) return;
  Connection& chosen = *living[below(living.size())];
  tell("the connection from {} to {} is reset at {}", name_of(chosen.pipes[0].from),
       name_of(chosen.pipes[0].to), at_both_ends ? "both ends" : "one end");
  for (Pipe& pipe : chosen.pipes) {
    pipe.flying.clear();
    pipe.flying_bytes = 0;
  }
  const std::size_t first = below(2);
  chosen.reset_at(first);
  if (at_both_ends) {
    chosen.reset_at(1 - first);
  }
}

}  // namespace sim
