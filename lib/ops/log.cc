#include "ops/log.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <iterator>
#include <mutex>
#include <poll.h>
#include <sys/eventfd.h>
#include <system_error>
#include <unistd.h>
#include <utility>

#include <climits>
#include <spdlog/async_logger.h>
#include <spdlog/details/thread_pool.h>
#include <spdlog/formatter.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/base_sink.h>

#include "ops/calendar.h"
#include "ops/foreign_text.h"

namespace ops {
namespace {

// How fields travel through spdlog, which knows only a text: after the message, each behind a unit
// separator, key and value split by a record separator. Message and texts are escaped on the way in,
// so that they hold neither.
constexpr char field_mark = '\x1f';
constexpr char text_mark = '\x1e';    // The value is a text, to be quoted.
constexpr char number_mark = '\x1d';  // The value stands for itself: a number or a truth.

constexpr std::size_t lines_waiting_max = 1024;

// How long a program that ends waits for whoever reads its log and does not.
constexpr std::chrono::milliseconds reader_patience{500};

spdlog::level::level_enum spdlog_level(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return spdlog::level::debug;
    case LogLevel::info:
      return spdlog::level::info;
    case LogLevel::warn:
      return spdlog::level::warn;
    case LogLevel::error:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

std::string_view level_name(spdlog::level::level_enum level) {
  switch (level) {
    case spdlog::level::trace:
    case spdlog::level::debug:
      return "debug";
    case spdlog::level::info:
      return "info";
    case spdlog::level::warn:
      return "warn";
    default:
      return "error";
  }
}

// Calls on_field(key, value, is_text) for each field, and gives the message.
template <typename OnField>
std::string_view split(std::string_view payload, OnField&& on_field) {
  const std::size_t message_end = std::min(payload.find(field_mark), payload.size());
  const std::string_view message = payload.substr(0, message_end);
  payload.remove_prefix(message_end);
  while (!payload.empty()) {
    payload.remove_prefix(1);
    const std::size_t end = std::min(payload.find(field_mark), payload.size());
    const std::string_view field = payload.substr(0, end);
    const std::size_t middle = std::min(field.find_first_of("\x1e\x1d"), field.size());
    const bool is_text = middle < field.size() && field[middle] == text_mark;
    on_field(field.substr(0, middle), field.substr(std::min(middle + 1, field.size())), is_text);
    payload.remove_prefix(end);
  }
  return message;
}

// Whether a value could be taken for more than one, were it not in quotes: it has a blank of any
// script, or what stands between fields.
bool needs_quotes(std::string_view value) {
  return value.empty() || std::ranges::any_of(value, [](char letter) {
           return letter <= ' ' || letter > '~' || letter == '=' || letter == '"';
         });
}

class EventFormatter : public spdlog::formatter {
 public:
  void format(const spdlog::details::log_msg& event, spdlog::memory_buf_t& out) override {
    line_.clear();
    const auto time = std::chrono::time_point_cast<std::chrono::microseconds>(event.time);
    build(utc_text(time), level_name(event.level),
          {event.logger_name.data(), event.logger_name.size()},
          {event.payload.data(), event.payload.size()});
    line_ += '\n';
    out.append(line_.data(), line_.data() + line_.size());
  }

 protected:
  virtual void build(std::string_view time, std::string_view level, std::string_view logger,
                     std::string_view payload) = 0;
  std::string line_;
};

class JsonFormatter final : public EventFormatter {
 public:
  std::unique_ptr<spdlog::formatter> clone() const override {
    return std::make_unique<JsonFormatter>();
  }

 private:
  void member(std::string_view key, std::string_view value, bool is_text) {
    line_ += line_.empty() ? "{\"" : ",\"";
    line_ += key;
    line_ += is_text ? "\":\"" : "\":";
    line_ += value;
    if (is_text) line_ += '"';
  }
  void build(std::string_view time, std::string_view level, std::string_view logger,
             std::string_view payload) override {
    member("ts", time, true);
    member("level", level, true);
    member("logger", logger, true);
    member("msg", split(payload, [](auto...) {}), true);
    split(payload, [this](std::string_view key, std::string_view value, bool is_text) {
      member(key, value, is_text);
    });
    line_ += '}';
  }
};

class TextFormatter final : public EventFormatter {
 public:
  std::unique_ptr<spdlog::formatter> clone() const override {
    return std::make_unique<TextFormatter>();
  }

 private:
  void build(std::string_view time, std::string_view level, std::string_view logger,
             std::string_view payload) override {
    line_ += time.substr(11, 12);  // Of today, to the millisecond.
    line_ += ' ';
    line_ += level;
    line_.append(6 - level.size(), ' ');
    line_ += logger;
    line_ += "  ";
    line_ += split(payload, [](auto...) {});
    split(payload, [this](std::string_view key, std::string_view value, bool is_text) {
      line_ += "  ";
      line_ += key;
      line_ += '=';
      const bool quoted = is_text && needs_quotes(value);
      if (quoted) line_ += '"';
      line_ += value;
      if (quoted) line_ += '"';
    });
  }
};

// Standard output, as a pipe whose reader may stop reading: its writer waits then, but not for ever
// once the log ends. Nothing can be done about what cannot be written.
class OutputSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  OutputSink() : ending_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (ending_ < 0)
      throw std::system_error(errno, std::generic_category(), "cannot start the log");
  }
  OutputSink(const OutputSink&) = delete;
  OutputSink& operator=(const OutputSink&) = delete;
  ~OutputSink() override { ::close(ending_); }

  // From now on it waits for no more than `patience` in all. Any thread.
  void end_within(std::chrono::milliseconds patience) {
    give_up_at_ = std::chrono::steady_clock::now() + patience;
    ::eventfd_write(ending_, 1);
  }

 private:
  void sink_it_(const spdlog::details::log_msg& event) override {
    spdlog::memory_buf_t buffer;
    formatter_->format(event, buffer);
    std::string_view text(buffer.data(), buffer.size());
    while (!text.empty() && wait_for_room()) {
      // So much fits where there is room at all: such a write does not block.
      const ssize_t count =
          ::write(STDOUT_FILENO, text.data(), std::min<std::size_t>(text.size(), PIPE_BUF));
      if (count >= 0) {
        text.remove_prefix(static_cast<std::size_t>(count));
      } else if (errno != EINTR && errno != EAGAIN) {
        return;
      }
    }
  }
  void flush_() override {}

  bool wait_for_room() {
    std::array<pollfd, 2> either{pollfd{.fd = STDOUT_FILENO, .events = POLLOUT, .revents = 0},
                                 pollfd{.fd = ending_, .events = POLLIN, .revents = 0}};
    while (either[0].revents == 0 && either[1].revents == 0)
      ::poll(either.data(), either.size(), -1);
    if (either[0].revents != 0) return true;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(
        give_up_at_.load() - std::chrono::steady_clock::now());
    return ::poll(either.data(), 1, std::max(0, static_cast<int>(left.count()))) > 0;
  }

  const int ending_;  // An eventfd: readable from end_within() on.
  std::atomic<std::chrono::steady_clock::time_point> give_up_at_{};
};

class StringSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit StringSink(std::string& lines) : lines_(lines) {}

 private:
  void sink_it_(const spdlog::details::log_msg& event) override {
    spdlog::memory_buf_t buffer;
    formatter_->format(event, buffer);
    lines_.append(buffer.data(), buffer.size());
  }
  void flush_() override {}

  std::string& lines_;
};

}  // namespace

struct Log::Shared {
  Shared(spdlog::sink_ptr to, LogLevel first) : sink(std::move(to)), level(first) {}
  Shared(const Shared&) = delete;
  Shared& operator=(const Shared&) = delete;
  // The writer drains its queue.
  ~Shared() {
    if (output) output->end_within(reader_patience);
  }

  std::shared_ptr<spdlog::logger> make_logger(std::string name) const {
    if (!writer) return std::make_shared<spdlog::logger>(std::move(name), sink);
    // A reader of our output that stops must not stop the loop: then the oldest lines are lost.
    return std::make_shared<spdlog::async_logger>(std::move(name), sink, writer,
                                                  spdlog::async_overflow_policy::overrun_oldest);
  }

  spdlog::sink_ptr sink;
  std::shared_ptr<OutputSink> output;  // The same; none for tests.
  std::atomic<LogLevel> level;         // Of every copy; the loggers themselves let all pass.
  std::shared_ptr<spdlog::details::thread_pool> writer;  // A thread; none for tests.
};

Log Log::to_stdout(std::string name, LogLevel level, LogFormat format) {
  const bool as_json =
      format == LogFormat::json || (format == LogFormat::automatic && ::isatty(STDOUT_FILENO) == 0);
  auto sink = std::make_shared<OutputSink>();
  if (as_json) {
    sink->set_formatter(std::make_unique<JsonFormatter>());
  } else {
    sink->set_formatter(std::make_unique<TextFormatter>());
  }
  auto shared = std::make_shared<Shared>(sink, level);
  shared->output = std::move(sink);
  shared->writer = std::make_shared<spdlog::details::thread_pool>(lines_waiting_max, 1);
  return Log(std::move(shared), nullptr).named(std::move(name));
}

Log Log::to_string(std::string name, LogLevel level, LogFormat format, std::string& lines) {
  auto sink = std::make_shared<StringSink>(lines);
  if (format == LogFormat::json) {
    sink->set_formatter(std::make_unique<JsonFormatter>());
  } else {
    sink->set_formatter(std::make_unique<TextFormatter>());
  }
  auto shared = std::make_shared<Shared>(std::move(sink), level);
  return Log(shared, nullptr).named(std::move(name));
}

Log Log::named(std::string name) const {
  std::shared_ptr<spdlog::logger> logger = shared_->make_logger(std::move(name));
  logger->set_level(spdlog::level::trace);
  return Log(shared_, std::move(logger));
}

bool Log::writes(LogLevel level) const {
  return level >= shared_->level.load(std::memory_order_relaxed);
}

void Log::set_level(LogLevel level) const { shared_->level.store(level); }

void Log::write(LogLevel level, std::string_view message, std::span<const LogField> fields) const {
  if (!writes(level)) return;
  std::string payload;
  payload += ForeignText(message).escaped();
  for (const LogField& field : fields) {
    payload += field_mark;
    payload += ForeignText(field.key).escaped();
    if (const auto* text = std::get_if<std::string_view>(&field.value)) {
      payload += text_mark;
      payload += ForeignText(*text).escaped();
    } else if (const auto* number = std::get_if<std::int64_t>(&field.value)) {
      payload += number_mark;
      payload += std::to_string(*number);
    } else if (const auto* count = std::get_if<std::uint64_t>(&field.value)) {
      payload += number_mark;
      payload += std::to_string(*count);
    } else {
      payload += number_mark;
      payload += std::get<bool>(field.value) ? "true" : "false";
    }
  }
  logger_->log(spdlog_level(level), spdlog::string_view_t(payload.data(), payload.size()));
}

std::string mask_card(std::string_view card_number) {
  constexpr std::size_t shown = 4;
  if (card_number.size() < 2 * shown) return std::string(card_number.size(), '*');
  return std::string(card_number.size() - shown, '*') +
         std::string(card_number.substr(card_number.size() - shown));
}

Parsed<LogLevel> Value<LogLevel>::parse(std::string_view text) {
  if (text == "debug") return LogLevel::debug;
  if (text == "info") return LogLevel::info;
  if (text == "warn") return LogLevel::warn;
  if (text == "error") return LogLevel::error;
  return BadValue("must be debug, info, warn or error");
}

std::string Value<LogLevel>::text(LogLevel level) {
  return std::string(level_name(spdlog_level(level)));
}

Parsed<LogFormat> Value<LogFormat>::parse(std::string_view text) {
  if (text == "auto") return LogFormat::automatic;
  if (text == "json") return LogFormat::json;
  if (text == "text") return LogFormat::text;
  return BadValue("must be auto, json or text");
}

std::string Value<LogFormat>::text(LogFormat format) {
  if (format == LogFormat::json) return "json";
  return format == LogFormat::text ? "text" : "auto";
}

}  // namespace ops
