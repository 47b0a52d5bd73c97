#pragma once

#include <cstddef>

namespace ledger {

// So many bytes will be asked for soon, bit by bit, and written: the system gives them in one piece. In a virtual machine the first
// touch of a page may cost more than all that is done with it: `tests/bench/micro` tells what is gained here. Only a hint. Any
// thread: it is for what the same one asks for.
void expect_memory(std::size_t bytes);

}  // namespace ledger
