// Records of the simulated devices' world, one struct a table. Each row is one device's.
//
// Acts are found by id first: ids are made in the order of time, so that what is new lies together,
// whichever device it is of.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "atm/devices.h"
#include "atm/notes.h"
#include "ledger/operation_id.h"

namespace atm {

// Notes in one place of a device.
struct WorldNotes {
  std::string device = {};
  std::string place = {};  // "cassette", "reject bin", "deposit bin".
  std::uint32_t position = 0;
  Cents denomination = {};
  std::int64_t count = 0;

  static constexpr std::string_view table = "notes";
  static constexpr int key_columns = 4;
  static constexpr void fields(auto&& field) {
    field("device", &WorldNotes::device);
    field("place", &WorldNotes::place);
    field("position", &WorldNotes::position);
    field("denomination", &WorldNotes::denomination);
    field("count", &WorldNotes::count);
  }
};

struct WorldFault {
  std::string device = {};
  FaultKind kind = FaultKind::none;
  std::uint32_t after_notes = 0;
  std::int64_t delay_ms = 0;

  static constexpr std::string_view table = "fault";
  static constexpr int key_columns = 1;
  static constexpr void fields(auto&& field) {
    field("device", &WorldFault::device);
    field("kind", &WorldFault::kind);
    field("after_notes", &WorldFault::after_notes);
    field("delay_ms", &WorldFault::delay_ms);
  }
};

// What a dispenser did for a customer.
struct DispenseAct {
  OperationId id = {};
  std::string device = {};
  bool sure = true;
  Picks presented = {};
  Picks rejected = {};

  static constexpr std::string_view table = "dispense";
  static constexpr int key_columns = 2;
  static constexpr void fields(auto&& field) {
    field("id", &DispenseAct::id);
    field("device", &DispenseAct::device);
    field("sure", &DispenseAct::sure);
    field("presented", &DispenseAct::presented);
    field("rejected", &DispenseAct::rejected);
  }
};

// What an acceptor took from a customer, and where it is.
struct AcceptAct {
  OperationId id = {};
  std::string device = {};
  Place place = Place::escrow;
  Notes notes = {};

  static constexpr std::string_view table = "accept";
  static constexpr int key_columns = 2;
  static constexpr void fields(auto&& field) {
    field("id", &AcceptAct::id);
    field("device", &AcceptAct::device);
    field("place", &AcceptAct::place);
    field("notes", &AcceptAct::notes);
  }
};

// Staff's hands in the machine: what they put in, or took out.
struct StaffAct {
  OperationId id = {};
  std::string device = {};
  Notes notes = {};

  static constexpr std::string_view table = "staff";
  static constexpr int key_columns = 2;
  static constexpr void fields(auto&& field) {
    field("id", &StaffAct::id);
    field("device", &StaffAct::device);
    field("notes", &StaffAct::notes);
  }
};

}  // namespace atm
