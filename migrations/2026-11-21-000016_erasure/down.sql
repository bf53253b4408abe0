DROP INDEX deliveries_repeats;
