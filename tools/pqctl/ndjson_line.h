// One line of NDJSON into one job. Pure.
#pragma once

#include "tools/pqctl/submit_fields.h"

namespace pqd::ctl {

// An object with the fields of set_field(). `type` must be there, unless `defaults` names one. A payload that
// is a string is taken as its text, any other as its JSON text without white space; `payload_base64` stands
// for bytes that are no text. Metadata is kept as JSON text.
Checked<SubmitFields> parse_ndjson_line(std::string_view line, const SubmitFields& defaults);

}  // namespace pqd::ctl
