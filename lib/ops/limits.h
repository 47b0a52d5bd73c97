// Which values of a type one option takes: what cannot work is refused before anything starts.
//
//   command.option("hold-time", hold_time, between<async::Duration>(1s, 168h), "DURATION", "...");
#pragma once

#include <concepts>
#include <functional>
#include <string>
#include <utility>

#include "ops/value.h"

namespace ops {

// Whether a value is taken, and what is said of one that is not, as the end of a sentence that
// begins with the option's name.
template <typename T>
struct Limits {
  std::function<bool(const T&)> allow;
  std::string must;  // "must be from 1s to 168h"
  std::string note;  // For the help: "from 1s to 168h". May be empty.
};

// Both ends are taken, too.
template <typename T>
Limits<T> between(T lowest, T highest) {
  const std::string range = "from " + Value<T>::text(lowest) + " to " + Value<T>::text(highest);
  return {.allow = [=](const T& value) { return lowest <= value && value <= highest; },
          .must = (std::integral<T> ? "must be a whole number " : "must be ") + range,
          .note = range};
}

// Somewhere to connect to: port 0 is only for listening.
inline Limits<async::Endpoint> a_server() {
  return {.allow =
              [](const async::Endpoint& endpoint) {
                return endpoint.kind != async::Endpoint::Kind::tcp || endpoint.port != 0;
              },
          .must = "must have the port of a server, from 1 to 65535",
          .note = ""};
}

// How long a person or a program may want to wait for an answer.
inline Limits<async::Duration> a_wait() {
  return between<async::Duration>(std::chrono::milliseconds(1), std::chrono::hours(24));
}

// Options of these types say which values make sense: 0, or the largest that fits, seldom does.
template <typename T>
concept NeedsLimits =
    std::same_as<T, async::Duration> || (std::integral<T> && !std::same_as<T, bool>);

}  // namespace ops
