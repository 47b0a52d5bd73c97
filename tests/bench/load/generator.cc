#include "bench/load/generator.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <ctime>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace load {
namespace {

constexpr std::size_t buffer_size = 512 * 1024;
constexpr std::uint64_t second = 1'000'000'000;

std::uint64_t clock_ns(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * second + static_cast<std::uint64_t>(now.tv_nsec);
}

std::uint64_t now_ns() { return clock_ns(CLOCK_MONOTONIC); }

// The ids of a connection count up, as those of callers do, and say their call's slot: the lowest bits. 8 of them, for the 256 calls
// that may be in flight.
constexpr std::uint32_t slot_bits = 8;
constexpr std::uint64_t calls_max = (call_id_max - call_id_min) >> slot_bits;

std::uint64_t call_id(std::uint32_t slot, std::uint64_t calls) {
  return call_id_min + ((calls % calls_max) << slot_bits) + slot;
}

}  // namespace

Generator::Generator(const Options& options, std::vector<CardTemplates> cards)
    : options_(options),
      cards_(std::move(cards)),
      poll_(epoll_create1(EPOLL_CLOEXEC)),
      ids_(now_ns() ^ (static_cast<std::uint64_t>(getpid()) << 40U)),
      buffer_(buffer_size) {
  prctl(PR_SET_TIMERSLACK, 1);
  for (const FlowOptions& flow_options : options.flows) {
    Flow& flow = flows_.emplace_back();
    if (flow_options.rate > 0) flow.interval_ns = static_cast<double>(second) / flow_options.rate;
    flow.at_once = flow_options.at_once;
    for (const std::uint32_t weight : flow_options.mix) flow.mix_total += weight;
    if (flow.mix_total == 0) give_up("a flow does nothing");
    results_.emplace_back().name = flow_options.name;
    for (std::size_t number = 0; number < flow_options.connections; ++number) {
      Connection& connection = *connections_.emplace_back(std::make_unique<Connection>());
      connection.socket = connect_to(options.connect);
      if (options.is_atm) {
        connection.terminal = static_cast<std::uint32_t>(cards_.size());
        cards_.push_back(insert_card(connection.socket, connection.terminal));
      }
      fcntl(connection.socket, F_SETFL, O_NONBLOCK);
      connection.flow = flows_.size() - 1;
      connection.slots.resize(flow_options.depth);
      for (std::uint32_t slot = 0; slot < flow_options.depth; ++slot) {
        connection.free.push_back(slot);
      }
      epoll_event event{.events = EPOLLIN, .data = {.ptr = &connection}};
      epoll_ctl(poll_, EPOLL_CTL_ADD, connection.socket, &event);
      flow.connections.push_back(&connection);
    }
  }
}

Generator::~Generator() {
  for (const auto& connection : connections_) close(connection->socket);
  close(poll_);
}

Work Generator::choose(std::size_t flow) {
  const auto& mix = options_.flows[flow].mix;
  auto ticket = static_cast<std::uint32_t>(ids_.random() % flows_[flow].mix_total);
  for (std::size_t work = 0; work < mix.size(); ++work) {
    if (ticket < mix[work]) return static_cast<Work>(work);
    ticket -= mix[work];
  }
  return Work::balance;
}

void Generator::begin(Connection& connection, std::uint32_t number, std::uint64_t began) {
  Slot& slot = connection.slots[number];
  slot.began = began;
  slot.work = choose(connection.flow);
  slot.card = options_.is_atm ? connection.terminal
                              : static_cast<std::uint32_t>(ids_.random() % cards_.size());
  slot.captures = false;
  send(connection, number);
}

void Generator::send(Connection& connection, std::uint32_t number) {
  Slot& slot = connection.slots[number];
  slot.call_id = call_id(number, connection.calls++);
  const CardTemplates& card = cards_[slot.card];
  std::string& out = connection.out;
  if (!connection.is_dirty) {
    connection.is_dirty = true;
    dirty_.push_back(&connection);
  }
  if (slot.work == Work::balance) {
    card.balance.append(out, slot.call_id);
    return;
  }
  const ChangeId held = slot.change;
  slot.change = ids_.next(unix_milliseconds_);
  const Template& change = slot.work == Work::withdraw ? card.withdraw
                           : slot.work == Work::post   ? card.transfer
                           : slot.captures             ? card.capture
                                                       : card.hold;
  const std::size_t at = change.append(out, slot.call_id);
  change.set_change(out.data() + at, slot.change);
  if (slot.work == Work::post) {
    std::size_t target = ids_.random() % options_.accounts;
    if (target == slot.card) target = (target + 1) % options_.accounts;
    change.set_target(out.data() + at, target);
  } else if (slot.captures) {
    change.set_hold(out.data() + at, held);
  }
}

// A call that finds all slots of its flow taken waits for one, and its time runs.
void Generator::begin_due(Flow& flow, std::uint64_t now) {
  while (flow.due <= static_cast<double>(now)) {
    std::size_t tried = 0;
    while (tried < flow.connections.size() && flow.connections[flow.next]->free.empty()) {
      flow.next = (flow.next + 1) % flow.connections.size();
      ++tried;
    }
    if (tried == flow.connections.size()) return;
    Connection& connection = *flow.connections[flow.next];
    const std::uint32_t slot = connection.free.back();
    connection.free.pop_back();
    begin(connection, slot, static_cast<std::uint64_t>(flow.due));
    if (++flow.begun % flow.at_once == 0) {
      flow.due += flow.interval_ns * flow.at_once;
      flow.next = (flow.next + 1) % flow.connections.size();
    }
  }
}

void Generator::finish(Connection& connection, std::uint32_t number, std::uint64_t now) {
  Slot& slot = connection.slots[number];
  slot.call_id = 0;
  if (counts_ && now < counts_until_) {
    FlowResult& result = results_[connection.flow];
    ++result.done;
    result.latency.record(now - std::min(now, slot.began));
    const std::size_t at = (now - counts_since_) / second;
    if (result.done_in_second.size() <= at) result.done_in_second.resize(at + 1);
    ++result.done_in_second[at];
  }
  if (flows_[connection.flow].interval_ns > 0) {
    connection.free.push_back(number);
  } else {
    begin(connection, number, now);
  }
}

void Generator::take_reply(Connection& connection, const Reply& reply, std::uint64_t now) {
  const auto number = static_cast<std::uint32_t>(reply.id) & ((1U << slot_bits) - 1);
  if (number >= connection.slots.size() || connection.slots[number].call_id != reply.id) {
    give_up("a reply came to call " + std::to_string(reply.id) +
            ", which nobody made: " + std::string(reply.message));
  }
  Slot& slot = connection.slots[number];
  if (!reply.is_yes()) {
    FlowResult& result = results_[connection.flow];
    if (result.refused++ == 0) {
      result.refusal = "status " + std::to_string(reply.code) + " " + std::string(reply.message);
    }
  } else if (slot.work != Work::balance && !options_.remember.empty()) {
    acknowledged_.push_back({.id = slot.change,
                             .terminal = static_cast<std::uint32_t>(slot.card % options_.terminals),
                             .reserved = 0,
                             .ledger_seq = reply.ledger_seq()});
  }
  if (slot.work == Work::hold && !slot.captures && reply.is_yes()) {
    slot.captures = true;
    send(connection, number);
    return;
  }
  finish(connection, number, now);
}

bool Generator::take_replies(Connection& connection, std::string_view bytes, std::uint64_t now) {
  while (bytes.size() >= 2) {
    const std::size_t size = static_cast<std::size_t>(static_cast<unsigned char>(bytes[0])) * 256 +
                             static_cast<unsigned char>(bytes[1]);
    if (bytes.size() < 2 + size) break;
    const std::optional<Reply> reply = read_reply(bytes.substr(2, size));
    if (!reply) give_up("the server sent something that is no response");
    take_reply(connection, *reply, now);
    bytes.remove_prefix(2 + size);
  }
  connection.in.assign(bytes);
  return true;
}

bool Generator::read(Connection& connection) {
  const std::size_t kept = connection.in.size();
  std::copy(connection.in.begin(), connection.in.end(), buffer_.begin());
  const ssize_t got = recv(connection.socket, buffer_.data() + kept, buffer_.size() - kept, 0);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return true;
  if (got <= 0) return false;
  return take_replies(connection, {buffer_.data(), kept + static_cast<std::size_t>(got)}, now_ns());
}

bool Generator::write(Connection& connection) {
  connection.is_dirty = false;
  const ssize_t sent =
      ::send(connection.socket, connection.out.data(), connection.out.size(), MSG_NOSIGNAL);
  if (sent < 0 && errno != EAGAIN) return false;
  connection.out.erase(0, static_cast<std::size_t>(std::max<ssize_t>(sent, 0)));
  const bool waits = !connection.out.empty();
  if (waits != connection.waits_to_write) {
    connection.waits_to_write = waits;
    epoll_event event{.events = waits ? EPOLLIN | EPOLLOUT : EPOLLIN, .data = {.ptr = &connection}};
    epoll_ctl(poll_, EPOLL_CTL_MOD, connection.socket, &event);
  }
  return true;
}

bool Generator::write_all() {
  const bool wrote =
      std::ranges::all_of(dirty_, [this](Connection* connection) { return write(*connection); });
  dirty_.clear();
  return wrote;
}

// Until something comes, or the next piece of work is due, or the end.
bool Generator::wait(std::uint64_t end) {
  const std::uint64_t now = now_ns();
  double until = static_cast<double>(end);
  for (const Flow& flow : flows_) {
    const bool has_room = std::ranges::any_of(
        flow.connections, [](const Connection* connection) { return !connection->free.empty(); });
    if (flow.interval_ns > 0 && has_room) until = std::min(until, flow.due);
  }
  const auto left = static_cast<std::uint64_t>(std::max(0.0, until - static_cast<double>(now)));
  const timespec timeout{.tv_sec = static_cast<time_t>(left / second),
                         .tv_nsec = static_cast<long>(left % second)};
  std::array<epoll_event, 256> events;
  const int count =
      epoll_pwait2(poll_, events.data(), static_cast<int>(events.size()), &timeout, nullptr);
  for (int at = 0; at < count; ++at) {
    const epoll_event& event = events[static_cast<std::size_t>(at)];
    Connection& connection = *static_cast<Connection*>(event.data.ptr);
    if ((event.events & EPOLLOUT) != 0 && !connection.is_dirty) {
      connection.is_dirty = true;
      dirty_.push_back(&connection);
    }
    if ((event.events & ~static_cast<std::uint32_t>(EPOLLOUT)) != 0 && !read(connection)) {
      return false;
    }
  }
  return true;
}

bool Generator::run(double seconds, bool counts) {
  const std::uint64_t start = now_ns();
  const auto end = start + static_cast<std::uint64_t>(seconds * static_cast<double>(second));
  counts_ = counts;
  counts_since_ = start;
  counts_until_ = end;
  unix_milliseconds_ = clock_ns(CLOCK_REALTIME) / 1'000'000;
  for (Flow& flow : flows_) {
    if (flow.interval_ns > 0) {
      if (flow.due == 0) flow.due = static_cast<double>(start);
      continue;
    }
    for (Connection* const connection : flow.connections) {
      for (; !connection->free.empty(); connection->free.pop_back()) {
        begin(*connection, connection->free.back(), start);
      }
    }
  }
  while (true) {
    const std::uint64_t now = now_ns();
    if (now >= end) return true;
    unix_milliseconds_ = clock_ns(CLOCK_REALTIME) / 1'000'000;
    for (Flow& flow : flows_) {
      if (flow.interval_ns > 0) begin_due(flow, now);
    }
    if (!write_all() || !wait(end) || !write_all()) return false;
  }
}

}  // namespace load
