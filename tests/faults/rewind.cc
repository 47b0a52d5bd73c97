#include "rewind.h"

#include <algorithm>
#include <utility>

#include "bank/v1/bank.pb.h"
#include "frames.h"
#include "rpc/v1/envelope.pb.h"

namespace sim {
namespace {

// The customer's or the staff's id of a change that begins with this request; empty: none does.
template <typename T>
std::string id_in(const std::string& body) {
  T request;
  request.ParseFromString(body);
  if constexpr (requires { request.receipt_id(); }) {
    return request.receipt_id();
  } else {
    return request.id();
  }
}
std::string begun_by(std::string_view method, const std::string& body) {
  if (method.ends_with("/Hold")) return id_in<::bank::v1::HoldRequest>(body);
  if (method.ends_with("/Deposit")) return id_in<::bank::v1::DepositRequest>(body);
  if (method.ends_with("/Transfer")) return id_in<::bank::v1::TransferRequest>(body);
  if (method.ends_with("/ChangePin")) return id_in<::bank::v1::ChangePinRequest>(body);
  if (method.ends_with("/LoadCash")) return id_in<::bank::v1::LoadCashRequest>(body);
  if (method.ends_with("/UnloadCash")) return id_in<::bank::v1::UnloadCashRequest>(body);
  return "";
}

}  // namespace

void Rewind::begin(std::function<void(std::uint64_t number)> on_kept) {
  on_kept_ = std::move(on_kept);
  disk_.before_sync = [this] { before_sync_ = disk_.survivors(Loss::all, world_.random()); };
}

void Rewind::hear(std::string_view frames) {
  if (!on_kept_) return;
  rewrite<::rpc::v1::Request>(frames, [this](::rpc::v1::Request& request, std::string&) {
    const std::string change = begun_by(request.method(), request.body());
    if (change.empty() || change == kept_for_) return;
    kept_for_.clear();
    const bool is_deposit = request.method().ends_with("/Deposit");
    if (!is_deposit && !request.method().ends_with("/Hold")) return;
    keep(change, is_deposit && world_.chance(700));
  });
}

void Rewind::keep(const std::string& change, bool is_before_the_last_sync) {
  kept_ = is_before_the_last_sync ? before_sync_ : disk_.survivors(Loss::all, world_.random());
  const auto has_it = [&](const auto& file) { return file.second.contains(change); };
  if (std::ranges::none_of(kept_, has_it)) return;
  kept_for_ = change;
  acts_when_kept_ = acts_of_staff();
  on_kept_(++number_);
}

std::size_t Rewind::acts_of_staff() const {
  std::size_t acts = 0;
  for (const auto& [name, hardware] : terminals_) {
    acts += hardware->dispenser.staff_acts.size() + hardware->acceptor.staff_acts.size();
  }
  return acts;
}

bool Rewind::can_go_back(std::uint64_t number) const {
  return on_kept_ && number == number_ && !kept_for_.empty() && acts_of_staff() == acts_when_kept_;
}

void Rewind::go_back() {
  disk_.restore(kept_);
  disk_.before_sync = nullptr;
  on_kept_ = nullptr;
}

}  // namespace sim
