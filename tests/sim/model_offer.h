// A submit that the model looks at.
#pragma once

#include "core/submit_record.h"
#include "tests/sim/model.h"

namespace pqd::sim {

struct Model::Offer {
  SessionNo session = 0;
  uint8_t lane = 0;
  uint64_t seq = 0;
  uint32_t owner = 0;
  SubmitView view;
  Error error = Error::kOk;
  uint32_t retry_after_ms = 0;  // of a user that is too fast
  bool duplicate = false;
  bool replaces = false;           // a parked submit of the same id
  JobId first{};                   // of a duplicate: the job that there is
  std::string scope{}, content{};  // with an idempotency key
};

}  // namespace pqd::sim
