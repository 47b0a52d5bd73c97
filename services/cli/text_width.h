// How wide a text stands on a terminal.
#pragma once

#include <cstddef>
#include <string_view>

namespace cli {

// In columns: a letter of East Asia or an emoji takes two, a mark that combines with the letter before it none. Bytes that are
// no UTF-8 take one each.
std::size_t text_width(std::string_view text);

}  // namespace cli
