#include "tools/pqctl/complaint.h"

#include "tools/pqctl/duration.h"

namespace pqd::ctl {

Complaint complaint_of(const Failure& failure) {
  Complaint complaint = complaint_of(failure.error, failure.text);
  if (failure.retry_after_ms != 0) {
    complaint.text += " (try again in " + duration_text(Milliseconds(failure.retry_after_ms)) + ")";
  }
  return complaint;
}

}  // namespace pqd::ctl
