#include "rpc/log_observer.h"

#include <chrono>
#include <string>
#include <vector>

namespace rpc {

namespace {

// The server broke a promise of its own: somebody should look.
bool is_broken(StatusCode code) {
  return code == StatusCode::internal || code == StatusCode::unknown ||
         code == StatusCode::data_loss;
}

}  // namespace

void LogObserver::write(ops::LogLevel level, const CallRecord& record, std::string_view why) const {
  if (!log_.writes(level)) return;
  const std::string trace = record.trace.id_text();
  const auto took = std::chrono::duration_cast<std::chrono::microseconds>(record.took);
  std::vector<ops::LogField> fields = {{"method", record.method}, {"request_id", record.request_id},
                                       {"peer", record.peer},     {"status", name(record.code)},
                                       {"took_us", took.count()}, {"trace", trace}};
  if (!why.empty()) fields.emplace_back("error", why);
  log_.write(level, "rpc", fields);
}

void LogObserver::call_ended(const CallRecord& record) {
  // At this level every call is a line: how a trace is followed from program to program.
  const bool is_ours = is_broken(record.code);
  write(is_ours ? ops::LogLevel::warn : ops::LogLevel::debug, record, record.message);
}

void LogObserver::handler_failed(const CallRecord& record) {
  write(ops::LogLevel::error, record, record.error);
}

void LogObserver::connection_closed(std::string_view peer, std::string_view why) {
  if (!why.empty()) log_.debug("rpc connection closed", {{"peer", peer}, {"error", why}});
}

void LogObserver::accept_failed(std::string_view error) {
  log_.warn("rpc accept failed", {{"error", error}});
}

}  // namespace rpc
