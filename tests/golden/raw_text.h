// What the daemon wrote for a client, in lines: the fields that a client of ABI version 1 reads, at the
// places where it reads them. Times, process ids and what else is another one in each run are left out. Like
// RawSession not to be changed with the library.
#pragma once

#include "tests/golden/raw_session.h"

namespace pqd::test {

std::string welcome_text(const Record& welcome);
std::string refusal_text_of(const Record& refusal);
// A job is called by its lane and counter: the rest of its id is another one in each run.
std::string receipt_text(const Record& receipt);
std::string delivery_text(const Record& delivery);
std::string answer_text(const Record& answer);

}  // namespace pqd::test
