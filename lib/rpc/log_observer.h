// LogObserver: what happens at a server's edge, as lines of the program's log.
#pragma once

#include <string_view>
#include <utility>

#include "ops/log.h"
#include "rpc/server.h"

namespace rpc {

// Logs handlers that failed and calls that ended INTERNAL, UNKNOWN or DATA_LOSS, and at level debug
// every other call and connections that did not end by themselves, because anybody can cause as
// many as he likes. Method, peer and words are the caller's: fields, never part of the message.
class LogObserver : public ServerObserver {
 public:
  explicit LogObserver(ops::Log log) : log_(std::move(log)) {}

  void call_ended(const CallRecord& record) override;
  void handler_failed(const CallRecord& record) override;
  void connection_closed(std::string_view peer, std::string_view why) override;
  void accept_failed(std::string_view error) override;

 private:
  void write(ops::LogLevel level, const CallRecord& record, std::string_view why) const;

  ops::Log log_;
};

}  // namespace rpc
