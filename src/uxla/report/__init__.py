"""Tables, figures and the HTML report, made from run folders; those of the paper are in its folder paper."""
