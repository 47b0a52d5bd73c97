#include "version.h"

#include "frames.h"
#include "rpc/status.h"
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

std::string HurriedBank::hear(std::string_view frames) {
  return rewrite<::rpc::v1::Request>(frames, [this](::rpc::v1::Request& request, std::string&) {
    // Another connection begins to count anew.
    sign_ons_.erase(request.id());
    if (request.method().ends_with("/SignOn")) sign_ons_.insert(request.id());
  });
}

std::string HurriedBank::answer(std::string_view frames) {
  if (sign_ons_to_refusal_ == 0) return std::string(frames);
  return rewrite<::rpc::v1::Response>(frames, [this](::rpc::v1::Response& response, std::string&) {
    const bool is_sign_on = sign_ons_.erase(response.id()) > 0;
    if (!is_sign_on || sign_ons_to_refusal_ == 0 || --sign_ons_to_refusal_ > 0) return;
    world_.tell("the bank has no time for a sign-on");
    response.clear_body();
    response.set_code(static_cast<std::uint32_t>(rpc::StatusCode::resource_exhausted));
  });
}

}  // namespace sim
