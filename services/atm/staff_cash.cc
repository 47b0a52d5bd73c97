// The handlers of StaffService that move cash: each carries an id, which acts once.
#include <algorithm>
#include <numeric>
#include <utility>

#include "atm/messages.h"
#include "atm/staff_service.h"

namespace atm {

namespace {

v1::Decline malformed(std::string_view sentence) {
  return decline(v1::DECLINE_CODE_MALFORMED, sentence);
}

// Notes that have moved, or may have, and that the books do not show where they are by now: an
// emptying would miss them, or find too many. It is so after a crash, or while a device is unsure.
std::optional<v1::Decline> why_not_unload(const Register& known, const Terminal& at) {
  for (const WithdrawalItem& item : known.withdrawals.open(at)) {
    if (!item->record.may_have_moved_notes()) continue;
    return decline(v1::DECLINE_CODE_TERMINAL_BUSY,
                   "The dispenser has not said yet what it presented; ask again later.");
  }
  for (const DepositItem& item : known.deposits.open(at)) {
    if (item->record.kept) continue;
    return decline(
        v1::DECLINE_CODE_TERMINAL_BUSY,
        "The acceptor has not said yet where the notes of a deposit are; ask again later.");
  }
  return std::nullopt;
}

}  // namespace

// A terminal that the bank did not know a moment ago may have been added: it is asked at once.
Task<> StaffService::hear_of_cash(Terminal& at, async::Deadline until) {
  while (at.awaits_word_of_cash()) {
    rpc::Context context(until);
    const bool answered = co_await machinery_.bank.refresh(at.id(), std::move(context));
    if (answered || until.has_passed(machinery_.loop.now())) co_return;
    if (!at.awaits_word_of_cash()) co_return;
    Task<> changed = machinery_.bank.until_changed();
    co_await async::with_deadline(machinery_.loop, until, std::move(changed));
  }
}

std::optional<v1::Decline> StaffService::wrong_load(const Terminal& at,
                                                    const v1::LoadRequest& request) const {
  const Standing& standing = machinery_.bank.standing(at.id());
  if (!standing.other_currency.empty()) {
    return decline(v1::DECLINE_CODE_OUT_OF_SERVICE,
                   "No notes were loaded: " + standing.other_currency + ".");
  }
  if (const std::string why = at.unknown_cash(); !why.empty()) {
    return decline(v1::DECLINE_CODE_OUT_OF_SERVICE, "No notes were loaded: " + why + ".");
  }
  const Currency currency = machinery_.settings.currency;
  const Cents denomination{request.notes().denomination().minor_units()};
  if (request.notes().denomination().currency() != currency.text()) return other_currency(currency);
  if (request.position() < 1 || request.position() > cassettes_max) {
    return malformed("A cassette's position is 1 to " + std::to_string(cassettes_max) + ".");
  }
  const std::vector<Cents>& ours = machinery_.settings.denominations;
  if (std::ranges::find(ours, denomination) == ours.end()) {
    return other_denomination(denomination, ours, currency);
  }
  if (request.notes().count() < 1 || request.notes().count() > notes_per_cassette_max) {
    return malformed("A cassette takes 1 to " + std::to_string(notes_per_cassette_max) + " notes.");
  }
  std::int64_t unit = denomination.value;
  std::int64_t largest = denomination.value;
  for (const Cassette& cassette : at.stock().cassettes()) {
    if (cassette.count == 0) continue;
    unit = std::gcd(unit, cassette.denomination.value);
    largest = std::max(largest, cassette.denomination.value);
    if (cassette.position != request.position()) continue;
    if (cassette.denomination != denomination) {
      return malformed("Cassette " + std::to_string(request.position()) + " holds notes of " +
                       ledger::to_text({cassette.denomination, currency}) + "; unload first.");
    }
    if (cassette.count + request.notes().count() > notes_per_cassette_max) {
      return malformed("Cassette " + std::to_string(request.position()) + " takes only " +
                       std::to_string(notes_per_cassette_max - cassette.count) + " more notes.");
    }
  }
  if (largest / unit > units_max / notes_per_dispense_max) {
    return malformed("These notes do not go with those in the other cassettes.");
  }
  return std::nullopt;
}

std::expected<MovementItem, v1::Decline> StaffService::find_or_begin(
    Terminal& at, Movement wanted, std::optional<v1::Decline> wrong, bool& replayed) {
  if (!wanted.id.is_set()) {
    return std::unexpected(malformed("The id must be 16 bytes, not all of them zero."));
  }
  const v1::Decline used = decline(v1::DECLINE_CODE_ID_USED_WITH_OTHER_FIELDS,
                                   "The id was used before for something else.");
  if (known_.is_used_otherwise<Movement>(wanted.id)) return std::unexpected(used);
  MovementItem item = known_.movements.find(wanted.id, at);
  replayed = item != nullptr;
  if (replayed) {
    const Movement& first = item->record;
    const bool same = first.direction == wanted.direction && first.terminal == at.id() &&
                      first.position == wanted.position &&
                      (wanted.direction == MovementKind::unload || first.notes == wanted.notes);
    if (!same) return std::unexpected(used);
    return item;
  }
  // A customer was told no under it, for good.
  const bool is_ended = known_.fences.knows(wanted.id) || declines_.final_no(wanted.id) != nullptr;
  if (is_ended) return std::unexpected(used);
  if (wrong) return std::unexpected(*std::move(wrong));
  if (at.is_moving_notes()) {
    return std::unexpected(decline(v1::DECLINE_CODE_TERMINAL_BUSY,
                                   "Notes are being moved already; ask again when that is done."));
  }
  for (const auto& why : {at.dispenser().out_of_order(), at.acceptor().out_of_order()}) {
    if (!why) continue;
    return std::unexpected(
        decline(v1::DECLINE_CODE_DISPENSER_FAULT, "No notes were moved: " + *why + "."));
  }
  if (!machinery_.disk.is_left()) {
    return std::unexpected(decline(v1::DECLINE_CODE_OUT_OF_SERVICE, disk_nearly_full));
  }
  return movements_.begin(at, std::move(wanted));
}

Task<v1::LoadResponse> StaffService::load(v1::LoadRequest request, rpc::Context context) {
  Terminal& at = terminal(request.terminal_id());
  co_await hear_of_cash(at, machinery_.before(context.deadline));
  std::optional<v1::Decline> wrong = wrong_load(at, request);
  if (context.is_abandoned()) {
    wrong = decline(v1::DECLINE_CODE_CANCELLED, "Nobody waited any more; no notes were loaded.");
  }
  Movement wanted{.id = OperationId::from_bytes(request.id()).value_or(OperationId()),
                  .direction = MovementKind::load,
                  .position = request.position(),
                  .notes = {{Cents{request.notes().denomination().minor_units()},
                             std::int64_t{request.notes().count()}}}};
  bool replayed = false;
  const std::expected<MovementItem, v1::Decline> item =
      find_or_begin(at, std::move(wanted), std::move(wrong), replayed);
  v1::LoadResponse response;
  const Currency currency = machinery_.settings.currency;
  if (replayed && request.notes().denomination().currency() != currency.text()) {
    *response.mutable_decline() = other_currency(currency);
    co_return response;
  }
  if (!item) {
    *response.mutable_decline() = item.error();
    co_return response;
  }
  co_await (*item)->answered;
  response = from_stored<v1::LoadResponse>((*item)->record.answer);
  response.mutable_done()->set_replayed(replayed);
  co_return response;
}

Task<v1::UnloadResponse> StaffService::unload(v1::UnloadRequest request, rpc::Context /*context*/) {
  Terminal& at = terminal(request.terminal_id());
  Movement wanted{.id = OperationId::from_bytes(request.id()).value_or(OperationId()),
                  .direction = MovementKind::unload};
  std::optional<v1::Decline> wrong = why_not_unload(known_, at);
  if (at.has_session() || at.is_busy()) {
    wrong = decline(v1::DECLINE_CODE_TERMINAL_BUSY, "A customer is being served.");
  }
  bool replayed = false;
  const std::expected<MovementItem, v1::Decline> item =
      find_or_begin(at, std::move(wanted), std::move(wrong), replayed);
  v1::UnloadResponse response;
  if (!item) {
    *response.mutable_decline() = item.error();
    co_return response;
  }
  co_await (*item)->answered;
  co_return from_stored<v1::UnloadResponse>((*item)->record.answer);
}

}  // namespace atm
