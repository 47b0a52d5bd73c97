#pragma once

#include <cstddef>

namespace ledger {

// Arranges the process's heap for a bank: one for all threads, which hand their records to each
// other; it grows in large steps and keeps what a burst of changes took, as another will come. Once,
// by main, before it starts threads. The only place that sets malloc's options: each would undo
// another's.
void arrange_heap();

// So many bytes will be asked for soon, bit by bit, and written: the system gives them in one piece. In a virtual machine the first
// touch of a page may cost more than all that is done with it: `tests/bench/micro` tells what is gained here. Only a hint,
// and ignored unless the heap was arranged, as a heap that gives memory back at once gains nothing. Any thread: it is for what the
// same one asks for.
void expect_memory(std::size_t bytes);

}  // namespace ledger
