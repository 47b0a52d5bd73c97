#include <string>

#include <spdlog/spdlog.h>

#include "rpc/server.h"

namespace rpc {

namespace {

auto microseconds(async::Duration duration) {
  return std::chrono::duration_cast<std::chrono::microseconds>(duration).count();
}

// The server broke a promise of its own: somebody should look.
bool is_broken(StatusCode code) {
  return code == StatusCode::internal || code == StatusCode::unknown ||
         code == StatusCode::data_loss;
}

void log(const CallRecord& record, spdlog::level::level_enum level, std::string_view why) {
  const std::string error = why.empty() ? std::string() : fmt::format(" error={:?}", why);
  spdlog::log(level, "rpc method={} request_id={} peer={} status={} took_us={} trace={}{}",
              record.method, record.request_id, record.peer, name(record.code),
              microseconds(record.took), record.trace.id_text(), error);
}

}  // namespace

void LogObserver::call_ended(const CallRecord& record) {
  // At this level every call is a line: how a trace is followed from program to program.
  if (record.code == StatusCode::ok && !spdlog::should_log(spdlog::level::debug)) return;
  log(record, is_broken(record.code) ? spdlog::level::warn : spdlog::level::debug, record.message);
}

void LogObserver::handler_failed(const CallRecord& record) {
  log(record, spdlog::level::err, record.error);
}

void LogObserver::connection_closed(std::string_view peer, std::string_view why) {
  if (why.empty()) return;
  spdlog::debug("rpc connection closed peer={} error={:?}", peer, why);
}

void LogObserver::accept_failed(std::string_view error) {
  spdlog::warn("rpc accept failed error={:?}", error);
}

}  // namespace rpc
