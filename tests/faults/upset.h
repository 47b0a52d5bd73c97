// What happens to a device now and then.
#pragma once

#include <cstdint>
#include <string_view>

#include "devices.h"

namespace sim {

// Until it gets over it, which most do. The ailment lives as long as the world.
inline void upset(World& world, Ailment& ailment, std::string_view what) {
  ailment = {};
  switch (world.below(6)) {
    case 0:
      ailment.is_dead = true;
      break;
    case 1:
      ailment.loses_answers = true;
      break;
    case 2:
      ailment.is_unsure = true;
      break;
    case 3:
      ailment.jams = true;
      ailment.jam_after = static_cast<std::int64_t>(world.below(5));
      break;
    case 4:
      ailment.chokes = true;
      break;
    default:
      ailment.answer_max = 5s;
  }
  world.tell("{} is upset: dead {}, mute {}, unsure {}, chokes {}, jams {}, slow {}", what,
             ailment.is_dead, ailment.loses_answers, ailment.is_unsure, ailment.chokes,
             ailment.jams, ailment.answer_max > 1s);
  world.after(world.between(1s, 20s), [&ailment] { ailment = {}; });
}

}  // namespace sim
