setInterval(() => undefined, 100000);
