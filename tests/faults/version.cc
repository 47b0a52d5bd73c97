#include "version.h"

#include "frames.h"
#include "rpc/v1/envelope.pb.h"

namespace sim {
namespace {

// Field 15, a message of two bytes.
constexpr std::string_view later_outcome("\x7a\x02\x08\x01", 4);

}  // namespace

std::string OtherVersion::answer(std::string_view frames) {
  if (permille == 0) return std::string(frames);
  return rewrite<::rpc::v1::Response>(frames, [this](::rpc::v1::Response& response, std::string&) {
    const bool is_answer = response.id() != 0 && response.code() == 0 && !response.body().empty();
    if (!is_answer || !world_.chance(permille)) return;
    ++answered_;
    const bool is_unset = world_.chance(500);
    world_.tell("the bank answers with an outcome that {}", is_unset ? "is unset" : "came later");
    response.set_body(is_unset ? std::string() : std::string(later_outcome));
  });
}

}  // namespace sim
