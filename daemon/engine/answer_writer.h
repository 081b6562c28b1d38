// The records of an answer, see core/down_record.h. Any thread.
#pragma once

#include "core/down_record.h"

namespace pqd {

Bytes answer_part(uint64_t request, AnswerKind kind, ByteView body);
// The outcome that ends it. An empty text stands for the error's own.
Bytes answer_end(uint64_t request, Error error, std::string_view text = {});

}  // namespace pqd
