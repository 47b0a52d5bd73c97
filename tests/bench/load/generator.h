// Generator: keeps the flows' calls in flight, and counts what comes back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "bench/load/histogram.h"
#include "bench/load/options.h"
#include "bench/load/session.h"
#include "bench/load/wire.h"

namespace load {

// What one flow did while it was measured.
struct FlowResult {
  std::string name;
  Histogram latency;  // Of pieces of work.
  std::uint64_t done = 0;
  std::uint64_t refused = 0;
  std::string refusal;  // The first one.
  std::vector<std::uint64_t> done_in_second;
};

// One thread, one epoll. A connection is read once and written once for each turn of the loop: all
// that its replies set off leaves in one write.
//
// Latency is that of a piece of work, from when it began, or in an open loop from when it should
// have begun, to when its last reply was read: a server that stalls an open loop makes all that
// comes meanwhile late, and is told so (no coordinated omission).
class Generator {
 public:
  Generator(const Options& options, std::vector<CardTemplates> cards);
  ~Generator();
  Generator(const Generator&) = delete;
  Generator& operator=(const Generator&) = delete;

  // Runs the flows for so long, and counts what ends in this time when told to. False: the server
  // has gone.
  bool run(double seconds, bool counts);

  const std::vector<FlowResult>& results() const { return results_; }
  const std::vector<Acknowledged>& acknowledged() const { return acknowledged_; }

 private:
  struct Slot {
    std::uint64_t began = 0;
    std::uint64_t call_id = 0;  // 0: nothing is in flight.
    std::uint32_t card = 0;
    Work work = Work::balance;
    bool captures = false;
    ChangeId change{};
  };
  struct Connection {
    int socket = -1;
    std::size_t flow = 0;
    std::uint64_t calls = 0;     // That were sent.
    std::uint32_t terminal = 0;  // Of an ATM: its session's, and its templates' place.
    std::vector<Slot> slots;
    std::vector<std::uint32_t> free;
    std::string in;  // The beginning of a reply that has not come whole.
    std::string out;
    bool is_dirty = false;  // It is in dirty_.
    bool waits_to_write = false;
  };
  struct Flow {
    std::vector<Connection*> connections;
    std::size_t next = 0;    // Whose turn it is in an open loop.
    double interval_ns = 0;  // 0: a closed loop.
    std::uint32_t at_once = 1;
    std::uint64_t begun = 0;  // Of an open loop.
    double due = 0;           // When the next piece of work, or so many at once, should begin.
    std::uint32_t mix_total = 0;
  };

  void begin_due(Flow& flow, std::uint64_t now);
  void begin(Connection& connection, std::uint32_t slot, std::uint64_t began);
  void send(Connection& connection, std::uint32_t slot);
  Work choose(std::size_t flow);
  bool read(Connection& connection);
  bool take_replies(Connection& connection, std::string_view bytes, std::uint64_t now);
  void take_reply(Connection& connection, const Reply& reply, std::uint64_t now);
  void finish(Connection& connection, std::uint32_t slot, std::uint64_t now);
  bool write(Connection& connection);
  bool write_all();
  bool wait(std::uint64_t end);

  const Options& options_;
  std::vector<CardTemplates> cards_;
  int poll_ = -1;
  ChangeIds ids_;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::vector<Flow> flows_;
  std::vector<Connection*> dirty_;
  std::vector<char> buffer_;
  std::uint64_t unix_milliseconds_ = 0;
  bool counts_ = false;
  std::uint64_t counts_since_ = 0;
  std::uint64_t counts_until_ = 0;
  std::vector<FlowResult> results_;
  std::vector<Acknowledged> acknowledged_;
};

}  // namespace load
