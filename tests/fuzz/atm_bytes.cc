// Any bytes on a connection to the ATM, to its customers' and its staff's services: the ATM goes on,
// and the customer at another terminal does not notice.
//
// The first byte is the size of the slices in which the rest arrives.
#include "atm_fixture.h"
#include "fuzz/peer.h"

namespace {

using namespace std::chrono_literals;

void send_in_slices(atm::AtmHouse& house, std::string_view bytes, std::size_t slice_size) {
  fuzz::Peer peer(house.loop, *house.server);
  while (!bytes.empty()) {
    peer.send(bytes.substr(0, slice_size));
    bytes.remove_prefix(std::min(slice_size, bytes.size()));
    house.loop.settle();
  }
  house.pass(100ms);
}

std::uint64_t events(atm::AtmHouse& house) {
  house.loop.advance(2s);  // What was only noted is on the disk by now.
  return house.journal->tail().number;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  google::protobuf::LogSilencer quiet;
  atm::AtmHouse house(2);
  house.load(1, 20, 10);
  fuzz::require(house.insert("4000-jane", "1234", "atm-1").has_session(), "a customer is served");
  const std::uint64_t before = events(house);
  send_in_slices(house, fuzz::text_of(data + 1, size - 1), 1 + std::size_t{data[0]} * 16);
  const bool untouched = events(house) == before;

  // The bytes may have been a request of the staff's: a fault of a device is in no journal.
  house.set_fault(atm::v1::DEVICE_DISPENSER, atm::v1::FAULT_NONE);
  const auto told = house.try_call(atm::withdraw_method, house.withdrawal(house.new_id(), 20));
  fuzz::require(told.has_value(), "another customer is answered");
  fuzz::require(told->has_withdrawn() || !untouched, "and is paid, unless the ATM's state changed");
  house.loop.advance(2s);
  fuzz::require(house.differences().empty(), "every cent is accounted for");
  return 0;
}
