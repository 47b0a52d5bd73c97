// That an ATM says when it goes out of service, why, and when it is back: in its log and its health.
#include <algorithm>
#include <cstdint>
#include <map>
#include <ranges>
#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "atm_fixture.h"

namespace atm {
namespace {

using testing::HasSubstr;
using testing::Not;

class ServiceWatchTest : public testing::Test {
 protected:
  ServiceWatchTest() { house.pass(2s); }

  static rpc::v1::CheckResponse health(AtmHouse& at, const std::string& service) {
    rpc::v1::CheckRequest request;
    request.set_service(service);
    return at.call(check_health_method, std::move(request));
  }
  // What health says of the customers' service: "" while it serves, else the reason.
  std::string reason() {
    EXPECT_EQ(health(house, "").status(), rpc::v1::SERVING_STATUS_SERVING);
    EXPECT_EQ(health(house, "atm.v1.StaffService").status(), rpc::v1::SERVING_STATUS_SERVING);
    const rpc::v1::CheckResponse told = health(house, "atm.v1.AtmService");
    EXPECT_EQ(told.status() == rpc::v1::SERVING_STATUS_SERVING, told.reason().empty());
    return told.reason();
  }
  // The lines of the log since the last call.
  std::string logged() { return std::exchange(house.log, {}); }
  static std::ptrdiff_t times(std::string_view lines, std::string_view what) {
    return std::ranges::distance(lines | std::views::split(what)) - 1;
  }
  void expect_one_line(const std::string& says) {
    const std::string lines = logged();
    EXPECT_THAT(lines, HasSubstr(says));
    EXPECT_EQ(std::ranges::count(lines, '\n'), 1) << lines;
  }
  void set_service(bool in_service) {
    v1::SetServiceRequest request;
    request.set_in_service(in_service);
    house.call(set_service_method, std::move(request));
  }

  AtmHouse house;
};

TEST_F(ServiceWatchTest, AtTheStartTheBankIsFoundAndTheTerminalServes) {
  EXPECT_EQ(reason(), "");
  const std::string lines = logged();
  EXPECT_THAT(lines, HasSubstr("the bank answers"));
  EXPECT_THAT(lines, HasSubstr("in service  terminal=atm-1"));
  EXPECT_THAT(lines, Not(HasSubstr("out of service")));
}

TEST_F(ServiceWatchTest, WithoutABankHealthSaysSoFromTheFirstMomentOn) {
  house.bank.close();
  house.pass(2s);
  rpc::ServerObserver observer;
  rpc::Server server(house.loop, rpc::ServerLimits{}, observer);
  house.atm->serve_on(server);
  EXPECT_TRUE(server.health().is_serving(""));
  EXPECT_TRUE(server.health().is_serving("atm.v1.StaffService"));
  EXPECT_FALSE(server.health().is_serving("atm.v1.AtmService"));
  house.stop();
}

TEST_F(ServiceWatchTest, ALostBankIsToldAndThatItIsBack) {
  logged();
  house.bank.close();
  house.pass(3s);
  EXPECT_EQ(reason(), "the bank does not answer");
  std::string lines = logged();
  EXPECT_THAT(lines, HasSubstr("the bank is lost"));
  EXPECT_THAT(lines, HasSubstr("out of service"));
  EXPECT_THAT(lines, HasSubstr("the bank does not answer"));
  house.pass(60s);
  EXPECT_EQ(logged(), "") << "once is enough";
  house.bank.open();
  house.pass(15s);
  EXPECT_EQ(reason(), "");
  lines = logged();
  EXPECT_THAT(lines, HasSubstr("the bank answers again"));
  EXPECT_THAT(lines, HasSubstr("in service again  terminal=atm-1"));
}

TEST_F(ServiceWatchTest, EveryOtherReasonIsToldToo) {
  const auto goes_and_comes_back = [this](auto break_it, auto mend_it, const std::string& why) {
    logged();
    break_it();
    house.pass(4s);
    EXPECT_THAT(reason(), HasSubstr(why));
    EXPECT_THAT(logged(), HasSubstr("out of service"));
    mend_it();
    house.pass(4s);
    EXPECT_EQ(reason(), "");
    EXPECT_THAT(logged(), HasSubstr("in service again"));
  };
  goes_and_comes_back([this] { set_service(false); }, [this] { set_service(true); }, "staff");
  goes_and_comes_back([this] { house.bank.state.in_service = false; },
                      [this] { house.bank.state.in_service = true; }, "operator");
  goes_and_comes_back([this] { house.set_fault(v1::DEVICE_DISPENSER, v1::FAULT_DEAD); },
                      [this] { house.set_fault(v1::DEVICE_DISPENSER, v1::FAULT_NONE); },
                      "dispenser");
  goes_and_comes_back([this] { house.disk.free = 1; }, [this] { house.disk.free = UINT64_MAX; },
                      "the disk of the ATM's data is nearly full");
  goes_and_comes_back([this] { house.bank.terminals.clear(); },
                      [this] { house.bank.terminals = {"atm-1"}; }, "bankctl terminal add");
}

TEST_F(ServiceWatchTest, ADeviceThatFailsAndADiskThatFillsUpAreToldOnceEach) {
  const std::map<v1::Device, std::string> devices = {{v1::DEVICE_DISPENSER, "dispenser"},
                                                     {v1::DEVICE_ACCEPTOR, "acceptor"}};
  for (const auto& [device, name] : devices) {
    house.set_fault(device, v1::FAULT_DEAD);
    logged();
    house.pass(4s);
    const std::string of_it = "terminal=atm-1  device=" + name;
    const std::string lines = logged();
    EXPECT_EQ(times(lines, "a device fails"), 1) << lines;
    EXPECT_THAT(lines, HasSubstr("a device fails  " + of_it));
    house.set_fault(device, v1::FAULT_NONE);
    house.pass(4s);
    const std::string after = logged();
    EXPECT_EQ(times(after, "a device works again"), 1) << after;
    EXPECT_THAT(after, HasSubstr("a device works again  " + of_it));
  }
  house.disk.free = 1;
  house.pass(4s);
  EXPECT_THAT(logged(), HasSubstr("the disk is nearly full: nothing new is begun  free_bytes=1"));
  house.pass(10s);
  EXPECT_EQ(logged(), "") << "once is enough";
  house.disk.free = UINT64_MAX;
  house.pass(4s);
  EXPECT_EQ(times(logged(), "the disk has room again"), 1);
  house.pass(10s);
  EXPECT_EQ(logged(), "");
}

TEST_F(ServiceWatchTest, FreeSpaceThatHoversAtTheReserveIsToldOnce) {
  const std::uint64_t reserve = house.settings.free_space_reserve_bytes;
  logged();
  for (int flips = 0; flips < 5; ++flips) {
    house.disk.free = reserve - 1;
    house.pass(2s);
    house.disk.free = reserve + DiskRoom::margin_bytes - 1;
    house.pass(2s);
  }
  std::string lines = logged();
  EXPECT_EQ(times(lines, "the disk is nearly full"), 1) << lines;
  EXPECT_EQ(times(lines, "out of service"), 1) << lines;
  house.disk.free = reserve + DiskRoom::margin_bytes;
  house.pass(2s);
  lines = logged();
  EXPECT_EQ(times(lines, "the disk has room again"), 1) << lines;
  EXPECT_EQ(times(lines, "in service again"), 1) << lines;
}

TEST_F(ServiceWatchTest, ATerminalOnADiskThatIsNearlyFullSaysThatItIsOutOfService) {
  house.disk.free = house.settings.free_space_reserve_bytes - 1;
  EXPECT_EQ(house.terminal().state(), v1::SERVICE_STATE_OUT_DISK) << "at once";
  EXPECT_THAT(house.terminal().reason(), HasSubstr("disk"));
  const rpc::Status said = house.try_call(set_service_method, v1::SetServiceRequest()).error();
  EXPECT_EQ(said.code, rpc::StatusCode::failed_precondition) << "staff write nothing either";
  house.insert();
  v1::GetBalanceRequest balance;
  balance.set_session_id(house.session);
  EXPECT_TRUE(house.call(get_balance_method, balance).has_balance()) << "reads go on";
  EXPECT_EQ(house.withdraw(house.new_id(), 60).decline().message(), disk_nearly_full);
  house.disk.free = UINT64_MAX;
  EXPECT_EQ(house.terminal().state(), v1::SERVICE_STATE_IN_SERVICE);
}

TEST_F(ServiceWatchTest, WhatStaffDoIsALineEach) {
  logged();
  set_service(false);
  EXPECT_THAT(logged(), HasSubstr("staff took the terminal out of service  terminal=atm-1"));
  set_service(true);
  EXPECT_THAT(logged(),
              HasSubstr("staff have looked, and put the terminal into service  terminal=atm-1"));
  house.load(1, 20, 10);
  std::string lines = logged();
  EXPECT_THAT(lines, HasSubstr("staff loaded notes  terminal=atm-1  id="));
  EXPECT_THAT(lines, HasSubstr("cassette=1  notes=\"10 x 20.00\"  amount=\"200.00 EUR\""));
  house.set_fault(v1::DEVICE_DISPENSER, v1::FAULT_JAM, 1);
  EXPECT_THAT(logged(),
              HasSubstr("staff set a fault  terminal=atm-1  device=dispenser  fault=JAM"));
  house.pass(2s);
  house.insert();
  house.withdraw(60);
  EXPECT_THAT(logged(), HasSubstr("the dispenser rejected notes  terminal=atm-1"));
  v1::EndSessionRequest leaving;
  leaving.set_session_id(house.session);
  house.call(end_session_method, std::move(leaving));
  house.unload(house.new_id());
  lines = logged();
  EXPECT_THAT(lines, HasSubstr("staff emptied the terminal  terminal=atm-1  id="));
}

TEST_F(ServiceWatchTest, AnotherReasonIsToldWhileItIsOut) {
  set_service(false);
  house.pass(2s);
  house.bank.close();
  house.pass(2s);
  logged();
  set_service(true);
  house.pass(2s);
  EXPECT_THAT(logged(), HasSubstr("the bank does not answer"));
}

TEST(ServiceWatch, OfSeveralTerminalsOneThatServesIsEnough) {
  AtmHouse house(2);
  house.pass(2s);
  const auto told = [&house] {
    rpc::v1::CheckRequest request;
    request.set_service("atm.v1.AtmService");
    return house.call(check_health_method, std::move(request));
  };
  house.bank.terminals = {"atm-2"};
  house.pass(4s);
  EXPECT_EQ(told().status(), rpc::v1::SERVING_STATUS_SERVING);
  EXPECT_THAT(house.log, HasSubstr("out of service  terminal=atm-1"));
  house.bank.terminals.clear();
  house.pass(4s);
  EXPECT_EQ(told().status(), rpc::v1::SERVING_STATUS_NOT_SERVING);
  EXPECT_THAT(told().reason(), HasSubstr("atm-1: "));
  EXPECT_THAT(told().reason(), HasSubstr("; atm-2: "));
}

}  // namespace
}  // namespace atm
