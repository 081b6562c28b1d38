/* Somebody else's program, built against an installed library: submits a job and waits until it is durable.
 */
#include <pqd/pqd.h>
#include <stdio.h>

int main(void) {
  pqd_client* client = NULL;
  if (pqd_connect(NULL, &client) != PQD_OK) {
    fprintf(stderr, "%s\n", pqd_last_error(NULL));
    return 1;
  }
  pqd_submit_options job = PQD_SUBMIT_OPTIONS_INIT;
  job.type = "installed";
  pqd_ticket ticket;
  pqd_status status = pqd_submit(client, &job, NULL, &ticket);
  if (status == PQD_OK) status = pqd_wait(client, &ticket, 60000, NULL);
  printf("%s %s\n", pqd_version(), pqd_status_name(status));
  pqd_close(client);
  return status == PQD_OK ? 0 : 1;
}
