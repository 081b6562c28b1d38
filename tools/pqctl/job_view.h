// Showing jobs to people, and the pieces that several commands share about them.
#pragma once

#include "tools/pqctl/context.h"

namespace pqd::ctl {

// 65 when the text is not an id.
Checked<JobId> parse_id(std::string_view text);

// Everything about one job, payload and result included where they are text.
Sheet job_sheet(const JobInfo& job);
// "3m ago"; empty for 0.
std::string age_text(TimeNs time_ns);

// Asks until the job has ended. 124: it has not within the time.
Checked<JobInfo> wait_for_end(Client& client, const JobId& id, std::optional<Milliseconds> timeout);
// Prints the result, or why there is none; 0 when the job completed.
int report_end(Context& context, const JobInfo& job);

}  // namespace pqd::ctl
